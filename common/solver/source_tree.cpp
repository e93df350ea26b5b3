// Source trees of root filesystems, and what all have in common.
#include "common/solver/source_tree.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <system_error>

#include "common/hash/sha256.hpp"
#include "common/sys/path_walk.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

constexpr std::uint64_t most_buffer = 128 << 10;

[[noreturn]] void fail_changed(const std::string& path) {
  throw util::Error(util::quote("/" + path) + " changed while it was copied");
}

// Does something with what had the path when it was looked at. Other errors than these do not come of a
// change since then.
template <typename Action>
auto unchanged(const std::string& path, const Action& action) {
  try {
    return action();
  } catch (const util::Error& error) {
    for (const auto change : {std::errc::no_such_file_or_directory, std::errc::not_a_directory,
                              std::errc::too_many_symbolic_link_levels,
                              std::errc::invalid_argument}) {  // the last of readlink(2)
      if (error.cause().code == change) fail_changed(path);
    }
    throw;
  }
}

class RootSource : public SourceTree {
public:
  explicit RootSource(const std::filesystem::path& root) : root_(sys::RootedDir::open(root)) {}

  std::optional<struct stat> status(const std::string& path) override {
    return unchanged(path, [&] {
      const auto place = find(path);
      return place ? root_.status(*place) : std::nullopt;
    });
  }

  std::vector<std::string> list(const std::string& path) override {
    auto names = unchanged(path, [&] { return root_.list(seen(path)); });
    std::sort(names.begin(), names.end());
    // A directory that changes while it is read may give a name twice.
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  std::string read_link(const std::string& path) override {
    return unchanged(path, [&] { return root_.target_of(seen(path)); });
  }

  sys::UniqueFd open(const std::string& path) override {
    auto fd = unchanged(path, [&] { return root_.open_file(seen(path)); });
    if (!fd) fail_changed(path);
    return fd;
  }

  std::map<std::string, std::string> xattrs(const std::string& path) override {
    return unchanged(path, [&] { return root_.xattrs(seen(path)); });
  }

private:
  // The callers have followed all symlinks, so what is found is what was asked for, or nothing is.
  std::optional<sys::RootedPath> find(const std::string& path) {
    auto place = root_.find(path);
    if (place && place->str() != path) return std::nullopt;
    return place;
  }

  // Of what was there when its status was asked for.
  sys::RootedPath seen(const std::string& path) {
    auto place = find(path);
    if (!place) fail_changed(path);
    return *std::move(place);
  }

  sys::RootedDir root_;
};

}  // namespace

std::optional<std::uint64_t> SourceTree::size(const std::string&) {
  return std::nullopt;
}

hash::Digest SourceTree::digest(const std::string& path) {
  const auto fd = [&] {
    const std::lock_guard lock(opening_);
    return open(path);
  }();
  return digest_of(fd.get(), path, most_buffer);
}

hash::Digest SourceTree::digest_of(int fd, const std::string& path, std::uint64_t size) {
  util::Buffer buffer(std::min(size + 1, most_buffer));
  hash::Sha256 sha;
  const auto what = util::quote("/" + path);
  while (const std::size_t count = sys::read_some(fd, buffer, what))
    sha.update(std::span(buffer).first(count));
  return sha.finish();
}

std::string entry_path(const std::string& directory, std::string_view name) {
  std::string path = directory.empty() ? std::string(name) : directory + "/" + std::string(name);
  sys::check_length(path);
  return path;
}

std::unique_ptr<SourceTree> root_source(const std::filesystem::path& root) {
  return std::make_unique<RootSource>(root);
}

std::string not_found(const std::string& path) {
  return "failed to compute cache key: failed to calculate checksum: \"/" + util::escape(path) +
         "\": not found";
}

std::string follow(SourceTree& tree, std::string_view path) {
  const auto clean = sys::clean_path(path);
  sys::check_length(clean);
  const auto walked =
      sys::walk_links(clean, most_links, [&](const sys::RootedPath& next, const sys::PathWalk&) {
        const auto status = tree.status(next.str());
        if (!status || !S_ISLNK(status->st_mode)) return sys::Met();
        return sys::Met{sys::Met::Kind::symlink, tree.read_link(next.str())};
      });
  if (walked.end == sys::WalkedTo::End::too_many_links)
    throw util::Error("failed to compute cache key: failed to calculate checksum: too many links");
  return walked.place.str();
}

}  // namespace solver
