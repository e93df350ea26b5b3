// From a reference to a manifest and its config, and downloads of blobs.
#include "common/registry/pull.hpp"

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "common/hash/sha256.hpp"
#include "common/image/choices.hpp"
#include "common/sys/thread.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace registry {
namespace {

constexpr std::size_t most_document_bytes = 8 << 20;
constexpr std::size_t most_downloads = 4;  // at a time, for one image
constexpr int tries_of_wrong_bytes = 2;
constexpr int most_searched = 100;  // manifests and indexes, for what an index does not say itself

const std::string document_types = util::join(
    {std::string(image::media_type::oci_index), std::string(image::media_type::docker_manifest_list),
     std::string(image::media_type::oci_manifest), std::string(image::media_type::docker_manifest), "*/*"},
    ", ");

// Some servers know HEAD for files alone, or keep what they have to say of a refusal for who can read it.
const std::set<int> asks_for_get = {400, 403, 405, 501};

std::string name_of(const image::Reference& reference) {
  return util::quote(reference.familiar());
}

// What to ask a registry for: the digest if the reference has one, else the tag.
std::string version_of(const image::Reference& reference) {
  if (!reference.digest.empty()) return reference.digest;
  return reference.tag.empty() ? "latest" : reference.tag;
}

// The digest a registry gives in Docker-Content-Digest; one of another algorithm tells us nothing.
std::optional<hash::Digest> digest_of(const http::Response& response) {
  const auto field = response.headers.find("Docker-Content-Digest").value_or("");
  if (!field.starts_with("sha256:")) return std::nullopt;
  try {
    return hash::Digest::parse(field);
  } catch (const util::Error& error) {
    throw EndpointFailure(response.url.display() + " answered with an " + error.what());
  }
}

std::optional<std::uint64_t> size_of(const http::Response& response) {
  return util::parse_uint(response.headers.find("Content-Length").value_or(""));
}

enum class Kind { manifest, index };

// Both kinds of document may come for one name, and neither Content-Type nor "mediaType" is always right.
// What is both is refused by the parsers. Throws util::Error for the format before both.
Kind kind_of(const std::string& json) {
  const auto document = util::parse_json(json, "its manifest");
  if (document.is_object() && document.value("schemaVersion", nlohmann::json()) == 1) {
    throw util::Error("it is in Docker's format of before 2016, \"schema 1\"; build and push it anew");
  }
  return document.is_object() && document.contains("manifests") ? Kind::index : Kind::manifest;
}

store::Blob blob_of(const image::Descriptor& descriptor) {
  return {descriptor.digest, descriptor.size};
}

// `said` may be anything, but if it is the type of one kind of document, it must be that of `kind`: who
// takes it for the other would run another image than who checked it (CVE-2021-41190).
void check_kind(const std::string& said, Kind kind) {
  using image::media_type::is_index;
  using image::media_type::is_manifest;
  const bool index = kind == Kind::index;
  if (index ? is_manifest(said) : is_index(said)) {
    throw util::Error("it is said to be " + util::quote(said) + ", but is an image " +
                      (index ? "index" : "manifest"));
  }
}

std::string type_of(const http::Response& response) {
  const auto field = response.headers.find("Content-Type").value_or("");
  return std::string(util::trim(field.substr(0, field.find(';'))));
}

}  // namespace

// A manifest or index, in the store.
struct Puller::Document {
  store::Blob blob;
  std::string json;
  std::string type;  // what the server says it is; empty where nobody was asked
};

// What is in an index, looked at so far.
struct Puller::Search {
  std::vector<image::Choice> choices = {};
  int left = most_searched;
};

Puller::Puller(Settings settings, store::Store& store, Tell tell)
    : client_(std::move(settings), std::move(tell)), store_(store) {}

// What a tag means now, without the document itself. A HEAD costs no pull where pulls are counted. Nothing if
// the answer does not say.
std::optional<Puller::Document> Puller::look_up(const image::Reference& reference,
                                                const sys::Cancellation& cancel) {
  std::optional<Document> found;
  const Ask head{.method = http::Method::head,
                 .path = "manifests/" + version_of(reference),
                 .accept = document_types,
                 .answers = asks_for_get};
  client_.try_endpoints(
      reference.domain, name_of(reference), Right::pull, [&](const Endpoint& endpoint, bool is_last) {
        const auto response = client_.ask(endpoint, is_last, reference.path, head, 0, cancel, [](auto) {});
        if (!response.success()) return;
        const auto digest = digest_of(response);
        const auto size = size_of(response);
        if (digest && size) found = {{*digest, *size}, "", type_of(response)};
      });
  return found;
}

// The document `name`, a tag or digest, from the network.
Puller::Document Puller::fetch_document(const image::Reference& reference, const std::string& name,
                                        const sys::Cancellation& cancel) {
  const bool by_digest = name.find(':') != std::string::npos;
  const Ask get{.path = "manifests/" + name,
                .accept = document_types,
                .content = by_digest ? http::Content::fixed : http::Content::may_change};
  std::string json, type;
  client_.try_endpoints(
      reference.domain, name_of(reference), Right::pull, [&](const Endpoint& endpoint, bool is_last) {
        json.clear();
        const auto response = client_.ask(
            endpoint, is_last, reference.path, get, 0, cancel, [&](std::span<const std::byte> data) {
              if (data.size() > most_document_bytes - json.size()) {
                throw EndpointFailure(endpoint.host + " sent a manifest of more than " +
                                      util::human_size(most_document_bytes));
              }
              json.append(reinterpret_cast<const char*>(data.data()), data.size());
            });
        type = type_of(response);
        const auto expected = by_digest ? hash::Digest::parse(name) : digest_of(response);
        if (expected && *expected != hash::sha256(json)) {
          throw EndpointFailure(endpoint.host + " sent a manifest that does not have the digest " +
                                expected->str());
        }
      });
  return {store_.blobs().put(json), std::move(json), std::move(type)};
}

Puller::Document Puller::document(const image::Reference& reference, const store::Blob& blob,
                                  const sys::Cancellation& cancel) {
  if (auto json = store_.blobs().read(blob)) return {blob, std::move(*json), ""};
  return fetch_document(reference, blob.digest.str(), cancel);
}

Puller::Document Puller::root_of(const image::Reference& reference, const sys::Cancellation& cancel) {
  auto full = reference;
  if (full.tag.empty() && full.digest.empty()) full.tag = version_of(reference);
  // A digest means the same for ever. A tag is asked for each time.
  std::optional<Document> meaning;
  if (full.digest.empty()) {
    meaning = look_up(reference, cancel);
  } else if (const auto known = store_.names().find(full.full());
             known && known->digest.str() == full.digest) {
    meaning = {*known, "", ""};
  }
  auto root = meaning ? document(reference, meaning->blob, cancel)
                      : fetch_document(reference, version_of(reference), cancel);
  if (meaning) root.type = meaning->type;
  store_.names().put(full.full(), root.blob);
  return root;
}

std::string Puller::document(const image::Reference& reference, const sys::Cancellation& cancel) {
  return root_of(reference, cancel).json;
}

void Puller::fetch(const image::Reference& reference, const image::Descriptor& blob,
                   const sys::Cancellation& cancel) {
  fetch_blob(reference, blob, {}, cancel);
}

Image Puller::resolve(const image::Reference& reference, const std::optional<image::Platform>& platform,
                      const sys::Cancellation& cancel) {
  if (!reference.digest.empty()) hash::Digest::parse(reference.digest);
  auto document = root_of(reference, cancel);
  const auto root = document.blob;
  const auto kind = kind_of(document.json);
  check_kind(document.type, kind);
  if (kind == Kind::index) document = choose(reference, document, platform, cancel);
  auto manifest = image::parse_manifest(document.json, "its manifest");
  image::refuse_artifact(manifest);
  auto config_json = config_of(reference, manifest.config, cancel);
  auto config = image::parse_config(config_json, "its config");
  return {reference, root, document.blob, std::move(manifest), std::move(config_json), std::move(config)};
}

// The manifest for `platform` in an index. Only if none of those that say what they are for will do, the
// others are looked at, and what is in further indexes.
Puller::Document Puller::choose(const image::Reference& reference, const Document& index,
                                const std::optional<image::Platform>& platform,
                                const sys::Cancellation& cancel) {
  const auto parsed = image::parse_index(index.json, "its index");
  const auto wanted = platform.value_or(image::Platform::host()).runnable();
  Search found;
  auto& choices = found.choices;
  for (const auto& entry : parsed.manifests) {
    const bool will_do = entry.platform && image::media_type::is_manifest(entry.media_type) &&
                         !entry.is_attestation() &&
                         std::find(wanted.begin(), wanted.end(), *entry.platform) != wanted.end();
    if (will_do) choices.push_back({entry, *entry.platform, 0});
  }
  if (choices.empty()) search(reference, parsed, 1, found, cancel);
  const auto chosen = image::choose(choices, platform, "the index").descriptor;
  auto document = this->document(reference, blob_of(chosen), cancel);
  check_kind(chosen.media_type, kind_of(document.json));
  return document;
}

// All images in an index and in the indexes that it names (image-spec, image-index.md).
void Puller::search(const image::Reference& reference, const image::Index& index, int depth, Search& search,
                    const sys::Cancellation& cancel) {
  if (depth > image::max_index_depth) throw util::Error("it is nested too deep in indexes");
  for (const auto& entry : index.manifests) {
    if (entry.is_attestation()) continue;
    const auto read = [&] {
      if (search.left-- == 0)
        throw util::Error("it holds more than " + std::to_string(most_searched) +
                          " indexes and images that do not say what they are for");
      auto document = this->document(reference, blob_of(entry), cancel);
      check_kind(entry.media_type, kind_of(document.json));
      return document.json;
    };
    if (image::media_type::is_index(entry.media_type)) {
      this->search(reference, image::parse_index(read(), "an index in it"), depth + 1, search, cancel);
    } else if (entry.platform && !entry.platform->architecture.empty()) {
      search.choices.push_back({entry, *entry.platform, 0});
    } else if (image::media_type::is_manifest(entry.media_type)) {
      const auto manifest = image::parse_manifest(read(), "a manifest in it");
      const auto config = image::parse_config(config_of(reference, manifest.config, cancel), "its config");
      search.choices.push_back({entry, config.platform, 0});
    }
  }
}

std::string Puller::config_of(const image::Reference& reference, const image::Descriptor& config,
                              const sys::Cancellation& cancel) {
  if (config.size > most_document_bytes) {
    throw util::Error("it has a config of " + util::human_size(config.size));
  }
  fetch_blob(reference, config, {}, cancel);
  auto json = store_.blobs().read(blob_of(config));
  if (!json) throw util::Error("the store does not keep what is written to it; is its disk failing?");
  return std::move(*json);
}

void Puller::fetch_blob(const image::Reference& reference, const image::Descriptor& blob,
                        const OnProgress& on_progress, const sys::Cancellation& cancel) {
  const auto tell = [&](std::uint64_t done) {
    if (on_progress) on_progress(blob, done);
  };
  auto download = store_.blobs().download(blob_of(blob), cancel);
  if (!download) return tell(blob.size);
  const Ask get{.path = "blobs/" + blob.digest.str(),
                .content = http::Content::fixed,
                .extent = http::Extent::download};
  const auto try_once = [&](const Endpoint& endpoint, bool is_last) {
    if (download->offset() < blob.size) {
      client_.ask(endpoint, is_last, reference.path, get, download->offset(), cancel,
                  [&](std::span<const std::byte> data) {
                    if (data.size() > blob.size - download->offset()) {
                      download->restart();
                      throw EndpointFailure(endpoint.host + " sent more than the " +
                                            std::to_string(blob.size) + " bytes of blob " +
                                            blob.digest.str());
                    }
                    download->write(data);
                    if (download->offset() < blob.size) tell(download->offset());
                  });
    }
    if (download->offset() < blob.size) {
      throw EndpointFailure(endpoint.host + " sent fewer than the " + std::to_string(blob.size) +
                            " bytes of blob " + blob.digest.str());
    }
    return download->finish();
  };
  client_.try_endpoints(
      reference.domain, name_of(reference), Right::pull, [&](const Endpoint& endpoint, bool is_last) {
        // The first bytes may be another endpoint's, or of a download that was killed, so wrong ones do not
        // say at once that this endpoint sends wrong ones.
        for (int left = tries_of_wrong_bytes; left > 0; --left) {
          if (try_once(endpoint, is_last)) return;
        }
        throw EndpointFailure(endpoint.host + " sent bytes that do not have the digest " + blob.digest.str());
      });
  tell(blob.size);
}

void Puller::fetch_layers(const Image& image, const OnProgress& on_progress,
                          const sys::Cancellation& cancel) {
  std::vector<image::Descriptor> blobs;
  std::set<hash::Digest> seen;
  for (const auto& layer : image.manifest.layers) {
    if (seen.insert(layer.digest).second) blobs.push_back(layer);
  }
  std::mutex mutex;
  const OnProgress in_turn = [&](const image::Descriptor& blob, std::uint64_t done) {
    if (!on_progress) return;
    const std::lock_guard lock(mutex);
    on_progress(blob, done);
  };
  sys::share_work(
      blobs.size(), most_downloads,
      [&](std::size_t number, const sys::Cancellation& stop) {
        fetch_blob(image.reference, blobs[number], in_turn, stop);
      },
      cancel);
}

}  // namespace registry
