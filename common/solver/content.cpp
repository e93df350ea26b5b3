// A copy that is only written down.
#include "common/solver/content.hpp"

#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>

#include "common/plan/key_writer.hpp"
#include "common/sys/thread.hpp"
#include "common/util/error.hpp"

namespace solver {
namespace {

constexpr auto entry_format = "oci-build/key/3/entry";
constexpr auto content_format = "oci-build/key/3/content";
constexpr auto unnamed = "_";
constexpr std::size_t batch_size = 2048;  // files that are read by all threads together

// What belongs to the machine rather than to the file.
bool counts(const std::string& xattr) {
  return xattr == "security.capability" || (!xattr.starts_with("security.") && !xattr.starts_with("system."));
}

// "0/name/src/main.c" is "name/src/main.c", or without a name "src/main.c"; nothing of the directory around.
std::optional<std::string_view> below_selected(std::string_view path) {
  const auto slash = path.find('/');
  if (slash == path.npos) return std::nullopt;
  auto below = path.substr(slash + 1);
  if (below == unnamed) return "";
  if (below.starts_with("_/")) below.remove_prefix(2);
  return below;
}

// Takes down what a copy does to an empty filesystem. Everything is copied once and to a name of its own, so
// that a file is done with when the next one comes: what is held is the directories, whose metadata may come
// last, and files until there are enough of them to read. Those are read while the copy goes on, where the
// tree allows it.
class Record : public CopyTarget {
public:
  Record(SourceTree& tree, const sys::Cancellation& cancel) : tree_(tree), cancel_(cancel) {}
  ~Record() override { reading_.next = reading_.files.size(); }  // the threads that are left end at once

  std::optional<struct stat> status(const sys::RootedPath& path) override {
    struct stat status = {};
    status.st_mode = S_IFDIR | 0755;
    if (path.is_root()) return status;
    const auto* found = find(path);
    if (found == nullptr) return std::nullopt;
    status.st_mode = found->type | found->mode;
    return status;
  }

  std::string target_of(const sys::RootedPath& symlink) override { return entry(symlink).link; }
  void make_directory(const sys::RootedPath& path) override {
    places_.emplace(path.str(), directories_.size());
    directories_.push_back({.path = path.str(), .type = S_IFDIR});
  }
  void make_symlink(const sys::RootedPath& path, const std::string& target) override {
    add(path, S_IFLNK).link = target;
  }
  void make_hard_link(const sys::RootedPath& path, const sys::RootedPath& existing) override {
    auto& made = add(path, S_IFREG);
    made.link = existing.str();
    made.is_hard_link = true;
  }
  std::error_code make_node(const sys::RootedPath& path, mode_t type, dev_t device) override {
    add(path, type).device = device;
    return {};
  }
  void copy_file(const sys::RootedPath& path, const std::shared_ptr<SourceTree>&, const std::string& from,
                 const struct stat& status, const sys::Cancellation&) override {
    auto& made = add(path, S_IFREG);
    if (status.st_size > 0) made.source = from;
  }
  void remove(const sys::RootedPath& path) override {
    if (find(path) != nullptr) fail_changed();
  }

  std::error_code set_owner(const sys::RootedPath& path, uid_t uid, gid_t gid) override {
    auto& changed = entry(path);
    changed.uid = uid;
    changed.gid = gid;
    return {};
  }
  void set_mode(const sys::RootedPath& path, mode_t mode) override {
    if (!path.is_root()) entry(path).mode = mode;
  }
  void set_xattr(const sys::RootedPath& path, const std::string& name, std::string_view value) override {
    if (counts(name)) entry(path).xattrs[name] = value;
  }
  void set_mtime(const sys::RootedPath&, timespec) override {}

  // The files in the order in which the copy came to them, then the directories.
  Content finish() {
    read_files();
    finish_reading();
    for (const auto& directory : directories_)
      put(directory, digest_of(directory));
    return {.digest = all_.finish(), .listing = std::move(listing_)};
  }

private:
  struct Entry {
    std::string path;
    mode_t type = 0;
    mode_t mode = 0755;
    uid_t uid = 0;
    gid_t gid = 0;
    dev_t device = 0;
    bool is_hard_link = false;
    std::string link = {};
    std::optional<std::string> source = {};   // of a file with bytes: where they are
    std::optional<hash::Digest> digest = {};  // of all that counts of it, once it was read
    std::map<std::string, std::string> xattrs = {};
  };

  struct Batch {
    std::vector<Entry> files;
    std::atomic<std::size_t> next = 0;
    std::vector<sys::Thread> threads;
  };

  [[noreturn]] static void fail_changed() { throw util::Error("the files changed while they were read"); }

  Entry& add(const sys::RootedPath& path, mode_t type) {
    if (files_.size() == batch_size) read_files();
    return files_.emplace_back(Entry{.path = path.str(), .type = type});
  }

  Entry* find(const sys::RootedPath& path) {
    if (!files_.empty() && files_.back().path == path.str()) return &files_.back();
    const auto found = places_.find(path.str());
    return found == places_.end() ? nullptr : &directories_[found->second];
  }

  Entry& entry(const sys::RootedPath& path) {
    auto* found = find(path);
    if (found == nullptr) fail_changed();
    return *found;
  }

  // Begins to read those that were added since it was called last.
  void read_files() {
    finish_reading();
    reading_.files.swap(files_);
    reading_.next = 0;
    std::size_t with_bytes = 0;
    for (const auto& file : reading_.files)
      with_bytes += file.source ? 1 : 0;
    const auto threads = std::min(sys::processor_count(), with_bytes);
    reading_.threads = sys::start_threads(threads - (threads > 0 ? 1 : 0), [this] { read(); });
    if (!tree_.is_thread_safe()) finish_reading();
  }

  // Each thread the next one, until there are none.
  void read() {
    for (auto i = reading_.next++; i < reading_.files.size(); i = reading_.next++) {
      cancel_.check();
      auto& file = reading_.files[i];
      file.digest = digest_of(file);
    }
  }

  void finish_reading() {
    read();
    for (auto& thread : reading_.threads)
      thread.join();
    reading_.threads.clear();
    for (const auto& file : reading_.files)
      put(file, file.digest.value());
    reading_.files.clear();
  }

  hash::Digest digest_of(const Entry& entry) {
    std::optional<hash::Digest> bytes;
    if (entry.source) bytes = tree_.digest(*entry.source);
    plan::KeyWriter key(entry_format);
    key.put(entry.type).put(entry.mode).put(entry.uid).put(entry.gid).put(entry.device);
    key.put(entry.is_hard_link).put(entry.link).put(bytes);
    for (const auto& [name, value] : entry.xattrs)
      key.put(name).put(value);
    return key.finish();
  }

  void put(const Entry& entry, const hash::Digest& digest) {
    all_.put(entry.path).put(digest);
    if (const auto below = below_selected(entry.path)) listing_.add(*below, digest);
  }

  SourceTree& tree_;
  const sys::Cancellation& cancel_;
  std::vector<Entry> files_;  // that nobody reads yet
  std::vector<Entry> directories_;
  std::unordered_map<std::string, std::size_t> places_;  // of directories
  plan::KeyWriter all_{content_format};
  Listing listing_;
  Batch reading_;  // the last, so that its threads end before all else goes
};

}  // namespace

Content content_of(const std::shared_ptr<SourceTree>& tree, const std::vector<Selected>& selected,
                   const CopyOptions& options) {
  Record record(*tree, options.cancel);
  for (std::size_t i = 0; i < selected.size(); ++i) {
    // Each below a directory of its own: several may have one name. One that a wildcard found and is called
    // "_" reads as if it had none, which its listing alone shows.
    const auto place =
        "/" + std::to_string(i) + "/" + (selected[i].name.empty() ? unnamed : selected[i].name);
    Copier(tree, record, options).copy(selected[i].path, "", place);
  }
  return record.finish();
}

}  // namespace solver
