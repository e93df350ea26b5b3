// What files are to have and cannot have where this process lacks the rights: owners, modes, capabilities.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sys {

// Facts of files by inode, in memory: they hold for all names of a file, wherever it is moved, and end with
// the process. RootedDir and layer::directory_changes tell and show them as if they stood on disk.
// Thread-safe.
class FileFacts {
public:
  // That of this process; null where everything is on disk.
  static FileFacts* of_process() noexcept;
  // From now on, for good: what the kernel refuses is kept here. Called before there are other threads.
  static void keep_for_process();

  // Of a file that was just made: its inode may be that of one which is gone.
  void forget(const struct stat& made);

  void set_owner(const struct stat& of, uid_t uid, gid_t gid);
  void set_mode(const struct stat& of, mode_t mode);  // of the 07777
  void set_xattr(const struct stat& of, const std::string& name, std::string_view value);

  // Changes what lstat(2) said to what the file is to be. What is our own, and of which nobody has said whose
  // it is to be, is root's: so it would be if root had built.
  void apply(struct stat& status) const;
  // Nothing where the file system knows better.
  std::optional<std::string> xattr(const struct stat& of, const std::string& name) const;
  std::map<std::string, std::string> xattrs(const struct stat& of) const;

private:
  struct Key {
    dev_t device;
    ino_t inode;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<std::uint64_t>()(key.inode * 0x9E3779B97F4A7C15U ^ key.device);
    }
  };
  struct Fact {
    std::optional<uid_t> uid = {};
    std::optional<gid_t> gid = {};
    std::optional<mode_t> mode = {};
    std::map<std::string, std::string> xattrs = {};
  };

  template <typename Change>
  void change(const struct stat& of, const Change& change);

  const uid_t own_uid_ = ::geteuid();
  const gid_t own_gid_ = ::getegid();
  mutable std::mutex mutex_;
  std::unordered_map<Key, Fact, KeyHash> facts_;
};

}  // namespace sys
