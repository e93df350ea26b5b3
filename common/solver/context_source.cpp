// The files of a build context, looked at once.
#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <limits>
#include <mutex>
#include <utility>

#include "common/plan/key_writer.hpp"
#include "common/solver/compact_status.hpp"
#include "common/solver/name_tree.hpp"
#include "common/solver/source_tree.hpp"
#include "common/sys/file_state.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
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
std::uint64_t number_of(dev_t device, const sys::FileState& file) {
  std::uint64_t state = 1;
  for (const auto part : {static_cast<std::uint64_t>(device), file.inode, file.size,
                          static_cast<std::uint64_t>(file.changed)}) {
    state = (state ^ part) * 0x9e3779b97f4a7c15;
    state ^= state >> 32;
  }
  return state;
}

// Of a directory whose files not everybody sees: another ignore file is another walk.
hash::Digest name_of_seals(const struct stat& root, const context::Ignore& ignore) {
  plan::KeyWriter name("oci-build/key/1/seals");
  name.put(root.st_dev).put(root.st_ino);
  for (const auto& pattern : ignore.patterns())
    name.put(pattern.is_exception()).put(pattern.text());
  return name.finish();
}

// All of it is looked at when the build begins: copies ask for most of it, and two copies must see the same.
class ContextSource : public SourceTree {
public:
  ContextSource(std::shared_ptr<const context::Tree> tree, store::Seals* seals) : tree_(std::move(tree)) {
    const auto root = tree_->find("").value();
    device_ = root.status.st_dev;
    set(files_.root(), root);
    // It is not sent: what stands for it is made when the build begins.
    timespec now;
    ::clock_gettime(CLOCK_REALTIME, &now);
    files_.root().value.status.mode = S_IFDIR | 0755;
    files_.root().value.status.set_time(now);
    if (seals != nullptr && seals->is_possible_in(tree_->root())) {
      seals_ = seals;
      name_of_seals_ = name_of_seals(root.status, tree_->ignore());
    }
    auto sealed = name_of_seals_ ? seals_->read(*name_of_seals_) : std::nullopt;
    tree_->walk("", [&](const context::Entry& entry) {
      auto& file = add(entry);
      if (!sealed || !can_be_sealed(entry.status)) return;
      const auto digest = sealed->find(entry.path, state_of(file));
      if (!digest) return;
      file.learn(*digest, Known::sealed);
      ++sealed_;
    });
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

  sys::UniqueFd open(const std::string& path) override { return open(path, file(path)).fd; }
  bool is_thread_safe() const override { return true; }

  std::map<std::string, std::string> xattrs(const std::string&) override { return {}; }
  std::optional<std::uint64_t> size(const std::string& path) override {
    const auto* node = files_.find(path);
    return node == nullptr ? std::nullopt : std::optional(size_of(*node));
  }

  // Each is read once, however many copies select it.
  hash::Digest digest(const std::string& path) override {
    auto& entry = file(path);
    {
      const std::lock_guard lock(mutex_);
      if (entry.known != Known::no) {
        if (entry.known == Known::sealed)
          require_same(path, entry, number_of(entry.status.device, state_of(entry)));
        return entry.digest();
      }
    }
    const auto opened = open(path, entry);
    const bool is_settled = seals_ != nullptr && can_be_sealed(opened.status) &&
                            sys::FileState::of(opened.status) == state_of(entry) &&
                            sys::is_settled(opened.fd.get(), opened.status);
    const auto found = digest_of(opened.fd.get(), path, static_cast<std::uint64_t>(entry.status.size));
    struct stat after = {};
    const bool is_sealed = is_settled && ::fstat(opened.fd.get(), &after) == 0 &&
                           sys::FileState::of(after) == sys::FileState::of(opened.status);
    const std::lock_guard lock(mutex_);
    entry.learn(found, is_sealed ? Known::sealed : Known::yes);
    ++read_;
    if (is_sealed) has_news_ = true;
    return found;
  }

  void keep_seals() override {
    util::log::debug("files of the build context: " + std::to_string(read_) + " read, " +
                     std::to_string(sealed_) + " as an earlier build has read them");
    if (!std::exchange(has_news_, false)) return;
    try {
      auto writer = seals_->write(*name_of_seals_);
      if (!writer) return;
      std::string path;
      write_seals(files_.root(), path, *writer);
      writer->commit();
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;  // else they are read again
    }
  }

private:
  enum class Known : std::uint8_t { no, yes, sealed };

  struct File {
    CompactStatus status;
    std::unique_ptr<std::string> link;        // of a symlink
    std::int64_t changed = 0;                 // the time of the last change
    std::uint64_t read = 0;                   // its state when its bytes were first wanted; guarded by mutex_
    std::array<std::uint8_t, 32> bytes = {};  // of its digest, once somebody asked; the same
    Known known = Known::no;                  // whether there is one

    hash::Digest digest() const { return hash::Digest::from_bytes(bytes); }
    void learn(const hash::Digest& digest, Known how) {
      std::copy(digest.bytes().begin(), digest.bytes().end(), bytes.begin());
      known = how;
    }
  };

  bool can_be_sealed(const struct stat& status) const {
    return S_ISREG(status.st_mode) && status.st_size > 0 && status.st_dev == device_;
  }

  static sys::FileState state_of(const File& file) {
    return {.inode = file.status.inode,
            .size = static_cast<std::uint64_t>(file.status.size),
            .modified = sys::nanoseconds_of(file.status.whole().st_mtim),
            .changed = file.changed};
  }

  File& file(const std::string& path) { return files_.find(path)->value; }

  context::Tree::File open(const std::string& path, File& file) {
    auto opened = tree_->open(path);
    const auto state = number_of(opened.status.st_dev, sys::FileState::of(opened.status));
    const std::lock_guard lock(mutex_);
    require_same(path, file, state);
    return opened;
  }

  // Whoever wants the bytes first says which.
  static void require_same(const std::string& path, File& file, std::uint64_t state) {
    if (file.read == 0) file.read = state;
    if (file.read == state) return;
    throw util::Error("the file " + util::quote(path) +
                      " of the build context changed between two reads of it: let nothing write to the "
                      "context during the build");
  }

  void write_seals(const NameTree<File>::Node& directory, std::string& path,
                   store::SealWriter& writer) const {
    const auto above = path.size();
    files_.for_each_child(directory, [&](std::string_view name, const auto& child) {
      if (above > 0) path += '/';
      path += name;
      if (child.value.known == Known::sealed) writer.add(path, state_of(child.value), child.value.digest());
      if (S_ISDIR(child.value.status.mode)) write_seals(child, path, writer);
      path.resize(above);
    });
  }

  // Parents come before what lies in them, names of a directory in byte order.
  File& add(const context::Entry& entry) {
    const std::string_view path = entry.path;
    const auto slash = path.rfind('/');
    auto* parent = slash == path.npos ? &files_.root() : files_.find(path.substr(0, slash));
    auto& node = files_.add(*parent, path.substr(slash == path.npos ? 0 : slash + 1));
    set(node, entry);
    return node.value;
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
    file.changed = sys::nanoseconds_of(entry.status.st_ctim);
    if (S_ISLNK(entry.status.st_mode)) file.link = std::make_unique<std::string>(entry.link);
  }

  std::shared_ptr<const context::Tree> tree_;
  dev_t device_ = 0;
  store::Seals* seals_ = nullptr;  // where they are of use
  std::optional<hash::Digest> name_of_seals_;
  NameTree<File> files_;
  std::mutex mutex_;
  std::size_t sealed_ = 0;  // files, when the build began
  std::size_t read_ = 0;    // files since; this and what follows is guarded by mutex_
  bool has_news_ = false;
};

}  // namespace

std::unique_ptr<SourceTree> context_source(std::shared_ptr<const context::Tree> tree, store::Seals* seals) {
  return std::make_unique<ContextSource>(std::move(tree), seals);
}

}  // namespace solver
