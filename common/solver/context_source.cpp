// The files of a build context, looked at once.
#include <cstdint>
#include <ctime>
#include <limits>
#include <mutex>

#include "common/solver/compact_status.hpp"
#include "common/solver/name_tree.hpp"
#include "common/solver/source_tree.hpp"
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

// What shows that the content is the same, as one number: the time of the last change is nobody's to set.
std::uint64_t state_of(const struct stat& status) {
  std::uint64_t state = 1;
  for (const auto part :
       {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
        static_cast<std::uint64_t>(status.st_size), static_cast<std::uint64_t>(status.st_ctim.tv_sec),
        static_cast<std::uint64_t>(status.st_ctim.tv_nsec)}) {
    state = (state ^ part) * 0x9e3779b97f4a7c15;
    state ^= state >> 32;
  }
  return state;
}

// All of it is looked at when the build begins: copies ask for most of it, and two copies must see the same.
class ContextSource : public SourceTree {
public:
  explicit ContextSource(std::shared_ptr<const context::Tree> tree) : tree_(std::move(tree)) {
    set(files_.root(), tree_->find("").value());
    // It is not sent: what stands for it is made when the build begins.
    timespec now;
    ::clock_gettime(CLOCK_REALTIME, &now);
    files_.root().value.status.mode = S_IFDIR | 0755;
    files_.root().value.status.set_time(now);
    tree_->walk("", [this](const context::Entry& entry) { add(entry); });
  }

  std::optional<struct stat> status(const std::string& path) override {
    const auto* node = files_.find(path);
    return node == nullptr ? std::nullopt : std::optional(node->value.status.whole());
  }

  std::vector<std::string> list(const std::string& path) override {
    std::vector<std::string> names;
    files_.for_each_child(*files_.find(path),
                          [&](std::string_view name, const auto&) { names.emplace_back(name); });
    return names;
  }

  std::string read_link(const std::string& path) override { return *file(path).link; }

  sys::UniqueFd open(const std::string& path) override { return open(path, file(path)); }
  bool is_thread_safe() const override { return true; }

  std::map<std::string, std::string> xattrs(const std::string&) override { return {}; }
  std::optional<std::uint64_t> size(const std::string& path) override {
    const auto* node = files_.find(path);
    return node == nullptr ? std::nullopt : std::optional(size_of(*node));
  }

  // Each is read once, however many copies select it.
  hash::Digest digest(const std::string& path) override {
    auto& entry = file(path);
    auto& known = entry.digest;
    {
      const std::lock_guard lock(mutex_);
      if (known) return *known;
    }
    const auto found =
        digest_of(open(path, entry).get(), path, static_cast<std::uint64_t>(entry.status.size));
    const std::lock_guard lock(mutex_);
    return *(known = found);
  }

private:
  struct File {
    CompactStatus status;
    std::unique_ptr<std::string> link;   // of a symlink
    std::optional<std::uint64_t> read;   // its state when it was opened first; guarded by mutex_
    std::optional<hash::Digest> digest;  // of its bytes, once somebody asked; the same
  };

  File& file(const std::string& path) { return files_.find(path)->value; }

  sys::UniqueFd open(const std::string& path, File& file) {
    auto opened = tree_->open(path);
    const auto state = state_of(opened.status);
    const std::lock_guard lock(mutex_);
    auto& read = file.read;
    if (!read) read = state;
    if (*read == state) return std::move(opened.fd);
    throw util::Error("the file " + util::quote(path) +
                      " of the build context changed between two reads of it: let nothing write to the "
                      "context during the build");
  }

  // Parents come before what lies in them, names of a directory in byte order.
  void add(const context::Entry& entry) {
    const std::string_view path = entry.path;
    const auto slash = path.rfind('/');
    auto* parent = slash == path.npos ? &files_.root() : files_.find(path.substr(0, slash));
    set(files_.add(*parent, path.substr(slash == path.npos ? 0 : slash + 1)), entry);
  }

  std::uint64_t size_of(const NameTree<File>::Node& node) const {
    const auto& status = node.value.status;
    if (S_ISREG(status.mode)) return static_cast<std::uint64_t>(status.size);
    std::uint64_t size = 0;
    files_.for_each_child(node, [&](std::string_view, const auto& child) { size += size_of(child); });
    return size;
  }

  static void set(NameTree<File>::Node& node, const context::Entry& entry) {
    auto& file = node.value;
    file.status = CompactStatus::of(entry.status);
    file.status.uid = file.status.gid = 0;
    file.status.set_time(as_sent(entry.status.st_mtim));
    if (S_ISLNK(entry.status.st_mode)) file.link = std::make_unique<std::string>(entry.link);
  }

  std::shared_ptr<const context::Tree> tree_;
  NameTree<File> files_;
  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<SourceTree> context_source(std::shared_ptr<const context::Tree> tree) {
  return std::make_unique<ContextSource>(std::move(tree));
}

}  // namespace solver
