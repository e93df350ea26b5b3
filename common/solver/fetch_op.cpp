// Downloads by the HTTP client.
#include "common/solver/fetch_op.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "common/hash/hasher.hpp"
#include "common/http/client.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// The one form of dates that servers may send today (RFC 9110, 5.6.7).
timespec last_modified(const http::Headers& headers) {
  std::tm fields{};
  const auto value = headers.find("Last-Modified");
  if (!value || ::strptime(value->c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields) == nullptr) return {};
  return {.tv_sec = ::timegm(&fields), .tv_nsec = 0};
}

}  // namespace

Change fetch(const plan::Http& op, Workshop& workshop) {
  const auto tree = workshop.new_tree();
  sys::make_directory(tree, 0755);
  auto root = sys::RootedDir::open(tree);
  const auto path = sys::RootedPath().child(op.file_name);
  auto file = root.create_file(path);
  const auto algorithm = op.checksum ? op.checksum->algorithm : hash::Algorithm::sha256;
  hash::Hasher hasher(algorithm);
  http::Client client;
  const http::Request request{
      .url = http::Url::parse(op.url), .coding = http::Coding::gzip, .cancel = workshop.cancel};
  const auto response = client.fetch(request, [&](std::span<const std::byte> data) {
    hasher.update(data);
    sys::write_all(file.get(), data, util::quote(op.file_name));
  });
  if (!response.success())
    throw util::Error("failed to load cache key: invalid response status " + std::to_string(response.status));
  sys::close_checked(std::move(file), util::quote(op.file_name));
  const hash::Checksum found{algorithm, hasher.finish()};
  if (op.checksum && found != *op.checksum)
    throw util::Error("digest mismatch " + found.str() + ": " + op.checksum->str());
  root.set_mode(path, 0600);
  root.set_mtime(path, last_modified(response.headers));
  return {.tree = tree};
}

}  // namespace solver
