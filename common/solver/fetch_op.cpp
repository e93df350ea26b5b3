// Downloads by the HTTP client.
#include "common/solver/fetch_op.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "common/hash/hasher.hpp"
#include "common/hash/sha256.hpp"
#include "common/http/client.hpp"
#include "common/plan/cache_key.hpp"
#include "common/plan/key_writer.hpp"
#include "common/sys/copy_content.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// The one form of dates that servers may send today (RFC 9110, 5.6.7).
std::int64_t last_modified(const http::Headers& headers) {
  std::tm fields{};
  const auto value = headers.find("Last-Modified");
  if (!value || ::strptime(value->c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields) == nullptr) return 0;
  return ::timegm(&fields);
}

// Of each URL and checksum apart: the time of a file is what its own server says.
hash::Digest fetched_key(const plan::Http& op) {
  return plan::KeyWriter("oci-build/key/2/fetched")
      .put(op.url)
      .put(op.checksum ? op.checksum->str() : "")
      .finish();
}

// What the cache has of it, changed meanwhile or not.
std::optional<store::Fetched> find_fetched(const plan::Http& op, StepCache& cache) {
  auto found = cache.fetched(fetched_key(op));
  if (found && !cache.blobs().has(found->blob, store::Check::size)) found.reset();
  return found;
}

class Download {
public:
  Download(const plan::Http& op, Trees& trees, StepCache* cache, const sys::Cancellation& cancel)
      : op_(op),
        cache_(cache),
        cancel_(cancel),
        tree_(trees.new_path()),
        path_(sys::RootedPath().child(op.file_name)) {
    sys::make_directory(tree_, 0755);
    root_.emplace(sys::RootedDir::open(tree_));
  }

  Change from_store(const store::Fetched& fetched) {
    auto blob = cache_->blobs().open_file(fetched.blob, store::Check::digest);
    if (!blob) return from_server(std::nullopt);
    auto file = root_->create_file(path_);
    sys::copy_content({blob.get(), "blob " + fetched.blob.digest.str()}, {file.get(), shown()},
                      fetched.blob.size, cancel_);
    return finish(std::move(file), fetched);
  }

  // `known` is what the cache has, to be used where the server says so.
  Change from_server(const std::optional<store::Fetched>& known) {
    auto file = root_->create_file(path_);
    hash::Sha256 sha;
    const auto algorithm = op_.checksum ? op_.checksum->algorithm : hash::Algorithm::sha256;
    hash::Hasher hasher(algorithm);
    std::uint64_t size = 0;
    http::Client client;
    http::Request request{.url = http::Url::parse(op_.url), .coding = http::Coding::gzip, .cancel = cancel_};
    if (known && !known->etag.empty()) request.headers.push_back({"If-None-Match", known->etag});
    const auto response = client.fetch(request, [&](std::span<const std::byte> data) {
      sha.update(data);
      if (algorithm != hash::Algorithm::sha256) hasher.update(data);
      size += data.size();
      sys::write_all(file.get(), data, shown());
    });
    if (response.status == 304 && known) {
      file = sys::UniqueFd();
      root_->remove(path_);
      return from_store(*known);
    }
    if (!response.success()) {
      throw util::Error("failed to load cache key: invalid response status " +
                        std::to_string(response.status));
    }
    const store::Fetched fetched{.blob = {sha.finish(), size},
                                 .etag = response.headers.find("ETag").value_or(""),
                                 .modified = last_modified(response.headers)};
    const hash::Checksum found{
        algorithm, algorithm == hash::Algorithm::sha256 ? fetched.blob.digest.hex() : hasher.finish()};
    if (op_.checksum && found != *op_.checksum)
      throw util::Error("digest mismatch " + found.str() + ": " + op_.checksum->str());
    auto change = finish(std::move(file), fetched);
    keep(fetched);
    return change;
  }

private:
  std::string shown() const { return util::quote(op_.file_name); }

  Change finish(sys::UniqueFd file, const store::Fetched& fetched) {
    sys::close_checked(std::move(file), shown());
    root_->set_mode(path_, 0600);
    root_->set_mtime(path_, {.tv_sec = fetched.modified, .tv_nsec = 0});
    return {.tree = tree_,
            .identity =
                plan::download_identity(op_, op_.checksum ? op_.checksum->str() : fetched.blob.digest.str()),
            .content = fetched.blob.digest};
  }

  void keep(const store::Fetched& fetched) {
    if (cache_ == nullptr) return;
    try {
      auto& blobs = cache_->blobs();
      if (!blobs.has(fetched.blob, store::Check::size)) {
        const auto file = root_->open_file(path_);
        auto blob = blobs.create();
        sys::copy_content({file.get(), shown()}, blob.file(), fetched.blob.size, cancel_);
        blob.commit(fetched.blob);
      }
      cache_->keep_fetched(fetched_key(op_), fetched);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;  // else the next build downloads it, too
    }
  }

  const plan::Http& op_;
  StepCache* cache_;
  const sys::Cancellation& cancel_;
  std::filesystem::path tree_;
  sys::RootedPath path_;
  std::optional<sys::RootedDir> root_;
};

}  // namespace

std::optional<hash::Digest> kept_content(const plan::Http& op, StepCache& cache) {
  const auto known = find_fetched(op, cache);
  return known ? std::optional(known->blob.digest) : std::nullopt;
}

Change fetch(const plan::Http& op, Fetching fetching, Trees& trees, StepCache* cache,
             const sys::Cancellation& cancel) {
  const auto known = cache == nullptr || fetching == Fetching::anew ? std::nullopt : find_fetched(op, *cache);
  Download download(op, trees, cache, cancel);
  if (known && fetching == Fetching::from_store) return download.from_store(*known);
  return download.from_server(known);
}

bool is_current(const plan::Http& op, StepCache& cache, std::optional<hash::Digest>& identity,
                const sys::Cancellation& cancel) {
  if (op.checksum) identity = plan::download_identity(op, op.checksum->str());
  const auto known = find_fetched(op, cache);
  if (!known) return false;
  if (op.checksum) return true;
  if (known->etag.empty()) return false;
  try {
    const auto response = http::Client().fetch({.method = http::Method::head,
                                                .url = http::Url::parse(op.url),
                                                .headers = {{"If-None-Match", known->etag}},
                                                .coding = http::Coding::gzip,
                                                .retry = {.attempts = 1},
                                                .cancel = cancel},
                                               [](std::span<const std::byte>) {});
    if (response.status != 200 && response.status != 304) return false;
    const auto etag = response.headers.find("ETag");
    if (etag ? *etag != known->etag : response.status != 304) return false;
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    return false;  // what is wrong the download says
  }
  identity = plan::download_identity(op, known->blob.digest.str());
  return true;
}

}  // namespace solver
