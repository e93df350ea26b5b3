// What a build step changed, in the form that diff() and pack() read.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/sys/fd.hpp"

namespace layer {

// New and changed files over a filesystem that lies below. Paths are relative to the root, without slashes at
// either end; "" is the root. What was removed is there as a character device 0:0.
class ChangeSet {
public:
  virtual ~ChangeSet() = default;

  // Names in a directory in byte order.
  virtual std::vector<std::string> list(const std::string& directory) const = 0;
  // As lstat(2); nothing if it is not there. Names of one file share device and inode.
  virtual std::optional<struct stat> status(const std::string& path) const = 0;
  virtual std::string read_link(const std::string& path) const = 0;
  // Of anything but symlinks: the value of security.capability; empty if there is none.
  virtual std::string capability(const std::string& path) const = 0;
  // Of anything but symlinks: whether it has other extended attributes than that, and than the marks of
  // overlayfs and of the machine's own security.
  virtual bool has_more_attributes(const std::string& path) const = 0;
  // Whether the directory hides everything that it has below.
  virtual bool is_opaque(const std::string& directory) const = 0;
  // A regular file for reading. Throws util::Error where it is none, and opens nothing else.
  virtual sys::UniqueFd open(const std::string& path) const = 0;
};

// Whether that stands for a file that was removed.
inline bool is_whiteout(const struct stat& status) noexcept {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

// An overlay's upper directory, or any other; marks (sys::DeviceMarks) are shown as devices. `fd` must
// outlive it.
std::unique_ptr<ChangeSet> directory_changes(int fd);
// The same, opened here. Throws util::Error.
std::unique_ptr<ChangeSet> directory_changes(const std::filesystem::path& directory);

}  // namespace layer
