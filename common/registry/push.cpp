// Distribution's spec/api: "Pushing An Image", with uploads in one PATCH that goes on after a cut.
#include "common/registry/push.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/hash/sha256.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace registry {
namespace {

// Many registries forget an upload that was cut, with all that they had of it.
constexpr int most_sessions = 5;
constexpr auto bytes_type = "application/octet-stream";

std::string repository_name(const image::Reference& reference) {
  auto name = reference;
  name.tag.clear();
  name.digest.clear();
  return util::quote(name.familiar());
}

// Where an upload goes on. What is there is foreign: it has to be a URL, and no less encrypted than ours.
http::Url location_of(const Endpoint& endpoint, const http::Response& response) {
  const auto location = response.headers.find("Location");
  if (!location) throw EndpointFailure(endpoint.host + " does not say where an upload goes on");
  try {
    auto url = response.url.resolve(*location);
    if (endpoint.base.scheme() == "https" && url.scheme() == "http" && endpoint.tls.verify) {
      throw EndpointFailure(endpoint.host + " wants an upload at " + url.display() +
                            ", which is not encrypted");
    }
    return url;
  } catch (const EndpointFailure&) {
    throw;
  } catch (const util::Error& error) {
    throw EndpointFailure(endpoint.host + " wants an upload at an " + error.what());
  }
}

// How many bytes a registry has of an upload, by its Range field: "0-1023" or "bytes=0-1023". "0-0" is what
// registries say that have nothing; one that has a single byte finds the wrong digest, and the upload begins
// anew.
std::uint64_t bytes_there(const http::Response& response, std::uint64_t size) {
  auto range = response.headers.find("Range").value_or("");
  if (range.starts_with("bytes=")) range.erase(0, 6);
  const auto dash = range.find('-');
  if (dash == std::string::npos || range.substr(0, dash) != "0") return 0;
  const auto last = util::parse_uint(std::string_view(range).substr(dash + 1));
  if (!last || *last == 0) return 0;
  return *last < size ? *last + 1 : 0;
}

}  // namespace

Pusher::Pusher(Settings settings, Tell tell) : client_(std::move(settings), std::move(tell)) {}

bool Pusher::has(const Endpoint& endpoint, bool is_last, const image::Reference& reference,
                 const store::Blob& blob, const sys::Cancellation& cancel) {
  // Some registries answer 405 to a HEAD; they get the blob once more.
  const Ask head{.method = http::Method::head,
                 .path = "blobs/" + blob.digest.str(),
                 .content = http::Content::fixed,
                 .answers = {404, 405},
                 .right = Right::push};
  const auto response = client_.ask(endpoint, is_last, reference.path, head, 0, cancel, [](auto) {});
  if (!response.success()) return false;
  const auto size = util::parse_uint(response.headers.find("Content-Length").value_or(""));
  return !size || *size == blob.size;
}

// The place of an upload; nothing if the blob was mounted.
std::optional<http::Url> Pusher::begin(const Endpoint& endpoint, bool is_last,
                                       const image::Reference& reference, const store::Blob& blob,
                                       const std::string& mounted_from, const sys::Cancellation& cancel) {
  Ask post{.method = http::Method::post,
           .path = "blobs/uploads/",
           .right = Right::push,
           .pull_from = mounted_from,
           .upload = http::Upload{}};
  if (!mounted_from.empty()) {
    post.path +=
        "?mount=" + http::percent_encode(blob.digest.str()) + "&from=" + http::percent_encode(mounted_from);
  }
  const auto response = client_.ask(endpoint, is_last, reference.path, post, 0, cancel, [](auto) {});
  if (!mounted_from.empty() && response.status == 201) return std::nullopt;
  return location_of(endpoint, response);
}

void Pusher::upload(const Endpoint& endpoint, bool is_last, const image::Reference& reference,
                    const store::Blob& blob, const http::Url& location, const Read& read, bool& was_cut,
                    const sys::Cancellation& cancel) {
  auto place = location;
  Ask patch{.method = http::Method::patch,
            .content = http::Content::fixed,
            .extent = http::Extent::download,
            .right = Right::push,
            .url = place,
            .type = bytes_type,
            .upload = http::Upload{.offset = 0, .size = blob.size, .read = read}};
  // What the registry has by now, and where it wants the rest.
  patch.before_retry = [&](http::Request& request) {
    was_cut = true;
    const Ask status{.right = Right::push, .url = place};
    const auto response = client_.ask(endpoint, is_last, reference.path, status, 0, cancel, [](auto) {});
    if (response.headers.find("Location")) place = location_of(endpoint, response);
    request.url = place;
    request.upload->offset = bytes_there(response, blob.size);
    std::erase_if(request.headers, [](const auto& field) { return field.name == "Content-Range"; });
    if (const auto offset = request.upload->offset; offset > 0 && offset < blob.size) {
      request.headers.push_back(
          {"Content-Range", std::to_string(offset) + "-" + std::to_string(blob.size - 1)});
    }
  };
  if (blob.size > 0) {
    const auto sent = client_.ask(endpoint, is_last, reference.path, patch, 0, cancel, [](auto) {});
    place = location_of(endpoint, sent);
  }
  const Ask put{.method = http::Method::put,
                .right = Right::push,
                .url = place.with_parameter("digest", blob.digest.str()),
                .type = bytes_type,
                .upload = http::Upload{}};
  client_.ask(endpoint, is_last, reference.path, put, 0, cancel, [](auto) {});
}

Arrival Pusher::put_blob(const image::Reference& reference, const store::Blob& blob, const Read& read,
                         const std::optional<image::Reference>& other, const sys::Cancellation& cancel) {
  auto arrival = Arrival::was_there;
  const bool can_mount = other && other->domain == reference.domain && other->path != reference.path;
  client_.try_endpoints(
      reference.domain, repository_name(reference), Right::push, [&](const Endpoint& endpoint, bool is_last) {
        if (has(endpoint, is_last, reference, blob, cancel)) return;
        std::optional<http::Url> place;
        if (can_mount) {
          try {
            place = begin(endpoint, is_last, reference, blob, other->path, cancel);
            arrival = Arrival::mounted;
            if (!place) return;
          } catch (const EndpointFailure& failure) {  // such as a login that may not read the other one
            util::log::debug(std::string("no mount of ") + blob.digest.str() + ": " + failure.what());
          }
        }
        arrival = Arrival::uploaded;
        for (int left = most_sessions;; --left) {
          if (!place) place = begin(endpoint, is_last, reference, blob, "", cancel);
          bool was_cut = false;
          try {
            return upload(endpoint, is_last, reference, blob, *std::exchange(place, std::nullopt), read,
                          was_cut, cancel);
          } catch (const EndpointFailure&) {
            if (left == 1 || !was_cut) throw;
          }
        }
      });
  return arrival;
}

void Pusher::put_manifest(const image::Reference& reference, std::string_view json, const std::string& type,
                          const sys::Cancellation& cancel) {
  const auto name = !reference.digest.empty() ? reference.digest
                    : reference.tag.empty()   ? "latest"
                                              : reference.tag;
  const Ask put{.method = http::Method::put,
                .path = "manifests/" + name,
                .right = Right::push,
                .type = type,
                .upload = http::Upload{.offset = 0,
                                       .size = json.size(),
                                       .read = [json](std::uint64_t offset, std::span<std::byte> buffer) {
                                         std::memcpy(buffer.data(), json.data() + offset, buffer.size());
                                       }}};
  client_.try_endpoints(
      reference.domain, repository_name(reference), Right::push, [&](const Endpoint& endpoint, bool is_last) {
        const auto response = client_.ask(endpoint, is_last, reference.path, put, 0, cancel, [](auto) {});
        const auto taken = response.headers.find("Docker-Content-Digest").value_or("");
        if (taken.starts_with("sha256:") && taken != hash::sha256(json).str())
          throw EndpointFailure(endpoint.host + " says that it took other bytes than were sent");
      });
}

}  // namespace registry
