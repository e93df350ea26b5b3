// Work inside a directory that nothing leads out of: not "..", not absolute names, not symlinks.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "common/sys/fd.hpp"

namespace sys {

// Throws util::Error if `path` is longer than Linux can use in one piece (PATH_MAX). This bounds the depth of
// directories, too, and with it what it costs to walk them.
void check_length(std::string_view path);

// A place inside a RootedDir: components with '/' between them, none of them "", "." or "..", of a length
// that check_length takes. The root itself is empty. The parents were directories, not symlinks, when
// RootedDir gave it.
class RootedPath {
public:
  RootedPath() = default;  // the root

  const std::string& str() const noexcept { return text_; }
  bool is_root() const noexcept { return text_.empty(); }
  std::string_view name() const noexcept;  // the last component; empty for the root
  RootedPath parent() const;               // of the root: the root
  // Throws util::Error unless `name` is one component, and where that is too long.
  RootedPath child(std::string_view name) const;
  // True if it is `directory` or lies below it.
  bool is_within(const RootedPath& directory) const noexcept;

  friend bool operator==(const RootedPath&, const RootedPath&) = default;

private:
  friend class RootedDir;
  explicit RootedPath(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

// The components of a name as an archive gives it, cleaned as text: "a//b/./../c" is "a/c", "/../x" is "x".
std::string clean_path(std::string_view path);

// A directory taken as the root of a filesystem. Names are walked component by component by descriptors, so
// that no symlink is ever followed by the kernel. With Times::kept adding and
// removing names leaves the modification times of their directories as they were, once settle() was called.
//
// Errors name the path inside the root. Functions that give a std::error_code leave the decision to the
// caller, because the operation needs rights or filesystems that not everybody has. Not thread-safe.
class RootedDir {
public:
  // Whether directories keep their modification times when names in them come and go.
  enum class Times { kept, natural };

  // `directory` may be opened with O_PATH.
  explicit RootedDir(UniqueFd directory, Times times = Times::kept)
      : root_(std::move(directory)), times_(times) {}
  static RootedDir open(const std::filesystem::path& path, Times times = Times::kept);

  // The directory as a root of its own.
  RootedDir inside(const RootedPath& directory);

  // Where `path` is, once symlinks among its parents are resolved inside the root: absolute targets start at
  // the root,
  // ".." stays at it. The last component is not followed and need not exist. Nothing if a parent is missing
  // or no directory. Throws Error after 40 symlinks.
  std::optional<RootedPath> find(std::string_view path);

  // The same, but makes missing parents, with mode 0755. Throws Error if a parent is no directory.
  RootedPath find_or_make_parents(std::string_view path);

  // The same with symlinks followed to the end: where open(2) inside the root would arrive. Nothing if
  // something on the way is missing.
  std::optional<RootedPath> follow(std::string_view path);

  // Where `path` leads with symlinks followed to the end, what is missing taken as written: where something
  // made at `path`, parents included, ends up. Nothing after 255 symlinks.
  std::optional<RootedPath> destination(std::string_view path);

  // A regular file for reading, symlinks followed inside the root; empty if there is none.
  UniqueFd open_file(std::string_view path);
  // The same without following one at the end.
  UniqueFd open_file(const RootedPath& path);

  // What is at the end of `path`, symlinks followed, as a descriptor (O_PATH) of the one walk that found it:
  // unlike a name it leads nowhere else once somebody changes the tree. Empty if something on the way is
  // missing, and after 255 symlinks.
  UniqueFd open_place(std::string_view path) const;

  // Where a symlink points.
  std::string target_of(const RootedPath& path);

  // As lstat(2); nothing if it is not there.
  std::optional<struct stat> status(const RootedPath& path);
  // Names in a directory, in no order, without "." and "..".
  std::vector<std::string> list(const RootedPath& directory);

  // Each throws Error if the name is taken. Modes are as given whatever the umask says, but files and
  // directories begin without group and others, as their owner is not set yet.
  UniqueFd create_file(const RootedPath& path);  // mode 0600, for writing
  void make_directory(const RootedPath& path);   // mode 0700
  void make_symlink(const RootedPath& path, const std::string& target);
  void make_hard_link(const RootedPath& path,
                      const RootedPath& existing);  // of a symlink: to the symlink itself
  // A fifo or device, mode 0600, or what stands for the device (DeviceMarks).
  std::error_code make_node(const RootedPath& path, mode_t type, dev_t device);
  // The character device 0:0, or what stands for it. In an overlay nobody may make that.
  void make_whiteout(const RootedPath& path);
  // Whether that is no device but a file that stands for one.
  bool is_mark(const RootedPath& path);

  // What is at `source` in another root, on the same filesystem, with everything below it. Throws Error.
  void move(const RootedPath& path, RootedDir& from, const RootedPath& source);

  // With everything below it; nothing there is no error.
  void remove(const RootedPath& path);

  // Of the thing itself, never of what a symlink points at. set_mode is not for symlinks.
  std::error_code set_owner(const RootedPath& path, uid_t uid, gid_t gid);
  void set_mode(const RootedPath& path, mode_t mode);
  void set_mode(const RootedPath& path, int file, mode_t mode);  // of what create_file() gave
  std::error_code set_xattr(const RootedPath& path, const std::string& name, std::string_view value);
  std::error_code remove_xattr(const RootedPath& path, const std::string& name);
  std::vector<std::string> list_xattrs(
      const RootedPath& path);  // empty where there are none or cannot be any
  // All of them with their values; those that cannot be read are left out.
  std::map<std::string, std::string> xattrs(const RootedPath& path);
  void set_mtime(const RootedPath& path, timespec mtime);  // and the access time

  // Gives the directory that was changed last its modification time back. To be called when all is done.
  void settle();

private:
  enum class Missing { stop, make };
  struct Place {
    int directory;
    std::string name;  // "." for the root
  };

  std::optional<RootedPath> resolve(std::string_view path, Missing missing);
  std::optional<RootedPath> resolve_directory(const std::string& path, Missing missing);
  int enter(const RootedPath& directory);
  UniqueFd walk(const RootedPath& directory);
  Place place(const RootedPath& path);
  Place place_to_change(const RootedPath& path);
  std::string proc_path(const Place& place) const;

  UniqueFd root_;
  Times times_;

  // The directory where the last work was done: archives list what lies together together.
  RootedPath current_;
  UniqueFd current_fd_;                // empty = none
  std::optional<timespec> old_mtime_;  // of the current directory, once something in it changed

  // The last answer of resolve_directory.
  std::string asked_;
  std::optional<RootedPath> answer_;
};

}  // namespace sys
