// The two kinds of source trees.
#include "common/solver/source_tree.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <limits>
#include <mutex>
#include <system_error>
#include <unordered_map>

#include "common/hash/sha256.hpp"
#include "common/solver/path_walk.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// As it arrives at BuildKit: in nanoseconds, of which 64 bits are sent, on a filesystem that keeps no time
// before 1901, as ext4 and XFS do not. So a year after 2262 becomes one long ago.
timespec as_sent(const timespec& time) {
  constexpr std::int64_t second = 1'000'000'000;
  const auto sent =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) * std::uint64_t{second} +
                                static_cast<std::uint64_t>(time.tv_nsec));
  std::int64_t seconds = sent / second;
  std::int64_t rest = sent % second;
  if (rest < 0) {
    --seconds;
    rest += second;
  }
  constexpr std::int64_t earliest = std::numeric_limits<std::int32_t>::min();
  if (seconds < earliest) return {.tv_sec = earliest, .tv_nsec = 0};
  return {.tv_sec = seconds, .tv_nsec = rest};
}

// The whole context is looked at once: copies ask for most of it, and two copies must see the same.
class ContextSource : public SourceTree {
public:
  explicit ContextSource(std::shared_ptr<const context::Tree> tree) : tree_(std::move(tree)) {
    put(tree_->find("").value());
    tree_->walk("", [this](const context::Entry& entry) { put(entry); });
  }

  std::optional<struct stat> status(const std::string& path) override {
    const auto found = nodes_.find(path);
    return found == nodes_.end() ? std::nullopt : std::optional(found->second.status);
  }

  std::vector<std::string> list(const std::string& path) override { return nodes_.at(path).names; }
  std::string read_link(const std::string& path) override { return nodes_.at(path).link; }
  sys::UniqueFd open(const std::string& path) override {
    auto file = tree_->open(path);
    const State state{.device = file.status.st_dev,
                      .inode = file.status.st_ino,
                      .size = file.status.st_size,
                      .changed = file.status.st_ctim};
    const std::lock_guard lock(mutex_);
    auto& read = nodes_.at(path).read;
    if (!read) read = state;
    if (*read == state) return std::move(file.fd);
    throw util::Error("the file " + util::quote(path) +
                      " of the build context changed between two reads of it: let nothing write to the "
                      "context during the build");
  }
  std::map<std::string, std::string> xattrs(const std::string&) override { return {}; }
  std::optional<std::uint64_t> size() const override { return size_; }

  // Each is read once, however many copies select it.
  hash::Digest digest(const std::string& path) override {
    auto& known = nodes_.at(path).digest;
    {
      const std::lock_guard lock(mutex_);
      if (known) return *known;
    }
    auto found = SourceTree::digest(path);
    const std::lock_guard lock(mutex_);
    return *(known = std::move(found));
  }

private:
  // What shows that the content is the same: the time of the last change is nobody's to set.
  struct State {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec changed;

    bool operator==(const State& other) const {
      return device == other.device && inode == other.inode && size == other.size &&
             changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
    }
  };
  struct Node {
    struct stat status;
    std::optional<State> read;           // of a file, when it was opened first; guarded by mutex_
    std::optional<hash::Digest> digest;  // of its bytes, once somebody asked; the same
    std::string link;
    std::vector<std::string> names;  // of what lies in a directory, as the walk meets them: in byte order
  };

  void put(const context::Entry& entry) {
    auto& node = nodes_[entry.path];
    node.status = entry.status;
    node.status.st_uid = node.status.st_gid = 0;
    node.link = entry.link;
    if (entry.path.empty()) {
      // It is not sent: what stands for it is made when the build begins.
      node.status.st_mode = S_IFDIR | 0755;
      ::clock_gettime(CLOCK_REALTIME, &node.status.st_mtim);
      return;
    }
    node.status.st_mtim = as_sent(node.status.st_mtim);
    if (S_ISREG(node.status.st_mode)) size_ += static_cast<std::uint64_t>(node.status.st_size);
    const auto slash = entry.path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : entry.path.substr(0, slash);
    nodes_.at(parent).names.push_back(entry.path.substr(slash == std::string::npos ? 0 : slash + 1));
  }

  std::shared_ptr<const context::Tree> tree_;
  std::unordered_map<std::string, Node> nodes_;
  std::uint64_t size_ = 0;
  std::mutex mutex_;
};

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

hash::Digest SourceTree::digest(const std::string& path) {
  auto fd = [&] {
    const std::lock_guard lock(opening_);
    return open(path);
  }();
  hash::Sha256 sha;
  std::vector<std::byte> buffer(128 << 10);
  while (const std::size_t count = sys::read_some(fd.get(), buffer, util::quote("/" + path)))
    sha.update(std::span(buffer).first(count));
  return sha.finish();
}

std::string entry_path(const std::string& directory, std::string_view name) {
  std::string path = directory.empty() ? std::string(name) : directory + "/" + std::string(name);
  sys::check_length(path);
  return path;
}

std::unique_ptr<SourceTree> context_source(std::shared_ptr<const context::Tree> tree) {
  return std::make_unique<ContextSource>(std::move(tree));
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
  PathWalk walk(clean);
  std::string at;
  while (const auto component = walk.next()) {
    if (*component == "..") {
      const auto parent = at.rfind('/');
      at.resize(parent == std::string::npos ? 0 : parent);
      continue;
    }
    const std::string next = entry_path(at, *component);
    const auto status = tree.status(next);
    if (!status || !S_ISLNK(status->st_mode)) {
      at = next;
      continue;
    }
    const std::string target = tree.read_link(next);
    if (!walk.follow(target))
      throw util::Error("failed to compute cache key: failed to calculate checksum: too many links");
    if (target.starts_with('/')) at.clear();
  }
  return at;
}

}  // namespace solver
