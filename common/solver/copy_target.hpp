// Where a COPY puts its files.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "common/solver/source_tree.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"

namespace solver {

// A filesystem that takes new files. What adds names throws util::Error if the name is taken; modes are as
// set_mode says, the umask means nothing. Directories in which names come and go are modified now.
class CopyTarget {
public:
  virtual ~CopyTarget() = default;

  // As lstat(2); nothing if it is not there.
  virtual std::optional<struct stat> status(const sys::RootedPath& path) = 0;
  virtual std::string target_of(const sys::RootedPath& symlink) = 0;

  virtual void make_directory(const sys::RootedPath& path) = 0;
  virtual void make_symlink(const sys::RootedPath& path, const std::string& target) = 0;
  virtual void make_hard_link(const sys::RootedPath& path, const sys::RootedPath& existing) = 0;
  virtual std::error_code make_node(const sys::RootedPath& path, mode_t type, dev_t device) = 0;
  // A regular file with the content of the file at `from` in `source`, whose status is `status`. Also throws
  // as sys::Cancellation::check does.
  virtual void copy_file(const sys::RootedPath& path, const std::shared_ptr<SourceTree>& source,
                         const std::string& from, const struct stat& status,
                         const sys::Cancellation& cancel) = 0;
  virtual void remove(const sys::RootedPath& path) = 0;

  // Owners before modes before extended attributes: a change of owner clears what the others set. None
  // follows symlinks; set_mode is not for them.
  virtual std::error_code set_owner(const sys::RootedPath& path, uid_t uid, gid_t gid) = 0;
  virtual void set_mode(const sys::RootedPath& path, mode_t mode) = 0;
  virtual void set_xattr(const sys::RootedPath& path, const std::string& name, std::string_view value) = 0;
  virtual void set_mtime(const sys::RootedPath& path, timespec mtime) = 0;
};

// Whether files of others lie below what is copied: then it cannot hold the device 0:0.
enum class Over { nothing, files };

// A directory on disk. Attributes that its filesystem does not take are left out.
std::unique_ptr<CopyTarget> directory_target(sys::RootedDir& root, Over over = Over::nothing);

// Where `path` leads with symlinks followed to the end inside the root. Nothing if something on the way is
// missing. Throws util::Error after `most_links`.
std::optional<sys::RootedPath> follow(CopyTarget& target, std::string_view path);

}  // namespace solver
