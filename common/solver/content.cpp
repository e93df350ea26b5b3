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

constexpr auto entry_format = "oci-build/key/2/entry";
constexpr auto content_format = "oci-build/key/2/content";
constexpr auto unnamed = "_";

// What belongs to the machine rather than to the file.
bool counts(const std::string& xattr) {
  return xattr == "security.capability" || (!xattr.starts_with("security.") && !xattr.starts_with("system."));
}

// "0/name/src/main.c" is "name/src/main.c", or without a name "src/main.c"; nothing of the directory around.
std::optional<std::string> below_selected(const std::string& path) {
  const auto slash = path.find('/');
  if (slash == std::string::npos) return std::nullopt;
  std::string below = path.substr(slash + 1);
  if (below == unnamed) return "";
  if (below.starts_with("_/")) below.erase(0, 2);
  return below;
}

// Takes down what a copy does to an empty filesystem.
class Record : public CopyTarget {
public:
  std::optional<struct stat> status(const sys::RootedPath& path) override {
    struct stat status = {};
    if (path.is_root()) {
      status.st_mode = S_IFDIR | 0755;
      return status;
    }
    const auto found = places_.find(path.str());
    if (found == places_.end()) return std::nullopt;
    status.st_mode = entries_[found->second].type | entries_[found->second].mode;
    return status;
  }

  std::string target_of(const sys::RootedPath& symlink) override { return entry(symlink).link; }
  void make_directory(const sys::RootedPath& path) override { add(path, S_IFDIR); }
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
  void remove(const sys::RootedPath& path) override { removed_ = removed_ || places_.contains(path.str()); }

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

  // All entries, in the order in which the copy came to them; each is given the digest of its bytes.
  Content finish(SourceTree& tree, const sys::Cancellation& cancel) {
    if (removed_) throw util::Error("the files changed while they were read");
    read_files(tree, cancel);
    plan::KeyWriter all(content_format);
    std::vector<std::pair<std::string, hash::Digest>> files;
    for (const auto& entry : entries_) {
      plan::KeyWriter key(entry_format);
      key.put(entry.type).put(entry.mode).put(entry.uid).put(entry.gid).put(entry.device);
      key.put(entry.is_hard_link).put(entry.link).put(entry.bytes);
      for (const auto& [name, value] : entry.xattrs)
        key.put(name).put(value);
      auto digest = key.finish();
      all.put(entry.path).put(digest);
      if (const auto below = below_selected(entry.path)) files.emplace_back(*below, std::move(digest));
    }
    return {.digest = all.finish(), .files = std::move(files)};
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
    std::string link;
    std::optional<std::string> source;  // of a file with bytes: where they are
    std::optional<hash::Digest> bytes;
    std::map<std::string, std::string> xattrs;
  };

  Entry& add(const sys::RootedPath& path, mode_t type) {
    places_.insert_or_assign(path.str(), entries_.size());
    auto& made = entries_.emplace_back();
    made.path = path.str();
    made.type = type;
    return made;
  }

  Entry& entry(const sys::RootedPath& path) { return entries_[places_.at(path.str())]; }

  // Each of them the next one, until there are none.
  void read_files(SourceTree& tree, const sys::Cancellation& cancel) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < entries_.size(); i = next++) {
        cancel.check();
        if (entries_[i].source) entries_[i].bytes = tree.digest(*entries_[i].source);
      }
    };
    std::size_t files = 0;
    for (const auto& entry : entries_)
      files += entry.source ? 1 : 0;
    auto helpers = sys::start_threads(std::min(sys::processor_count(), files) - (files > 0 ? 1 : 0), work);
    work();
    for (auto& helper : helpers)
      helper.join();
  }

  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> places_;
  bool removed_ = false;
};

}  // namespace

Content content_of(const std::shared_ptr<SourceTree>& tree, const std::vector<Selected>& selected,
                   const CopyOptions& options) {
  Record record;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    // Each below a directory of its own: several may have one name. One that a wildcard found and is called
    // "_" reads as if it had none, which its listing alone shows.
    const auto place =
        "/" + std::to_string(i) + "/" + (selected[i].name.empty() ? unnamed : selected[i].name);
    Copier(tree, record, options).copy(selected[i].path, "", place);
  }
  return record.finish(*tree, options.cancel);
}

}  // namespace solver
