#include "common/sandbox/copy_tree.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <utility>

#include "common/sys/copy_content.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

class TreeCopier {
public:
  TreeCopier(sys::RootedDir from, sys::RootedDir& to, const sys::Cancellation& cancel)
      : from_(std::move(from)), to_(to), cancel_(cancel) {}

  void copy(const sys::RootedPath& source, const sys::RootedPath& target) {
    cancel_.check();
    const auto status = from_.status(source);
    if (!status) return;  // it is not there any more
    if (S_ISDIR(status->st_mode)) {
      to_.make_directory(target);
      for (const auto& name : from_.list(source))
        copy(source.child(name), target.child(name));
    } else if (!make(source, target, *status)) {
      return;
    }
    finish(source, target, *status);
  }

private:
  // False where it is left out, or has been made under another name.
  bool make(const sys::RootedPath& source, const sys::RootedPath& target, const struct stat& status) {
    const auto [known, is_new] = names_.try_emplace({status.st_dev, status.st_ino}, target);
    if (status.st_nlink > 1 && !is_new) {
      to_.make_hard_link(target, known->second);
      return false;
    }
    if (S_ISLNK(status.st_mode)) {
      to_.make_symlink(target, from_.target_of(source));
    } else if (S_ISREG(status.st_mode)) {
      const auto file = from_.open_file(source);
      const auto copy = to_.create_file(target);
      if (::ioctl(copy.get(), FICLONE, file.get()) != 0)
        sys::copy_content({file.get(), util::quote(source.str())}, {copy.get(), util::quote(target.str())},
                          UINT64_MAX, cancel_);
    } else if (S_ISSOCK(status.st_mode) || to_.make_node(target, status.st_mode & S_IFMT, status.st_rdev)) {
      return false;
    }
    return true;
  }

  void finish(const sys::RootedPath& source, const sys::RootedPath& target, const struct stat& status) {
    if (const auto error = to_.set_owner(target, status.st_uid, status.st_gid))
      util::throw_errno("cannot set the owner of /" + target.str(), error.value());
    if (!S_ISLNK(status.st_mode)) to_.set_mode(target, status.st_mode & 07777);
    for (const auto& [name, value] : from_.xattrs(source)) {
      [[maybe_unused]] const auto ignored = to_.set_xattr(target, name, value);  // some are of one filesystem
    }
    to_.set_mtime(target, status.st_mtim);
  }

  sys::RootedDir from_;
  sys::RootedDir& to_;
  const sys::Cancellation& cancel_;
  std::map<std::pair<dev_t, ino_t>, sys::RootedPath> names_;
};

void copy_file(int source, const std::string& what, sys::RootedDir& root, const sys::RootedPath& target,
               const struct stat& status, const sys::Cancellation& cancel) {
  const sys::UniqueFd file(::open(sys::link_of(source).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) util::throw_errno("cannot open " + what);
  const auto copy = root.create_file(target);
  if (::ioctl(copy.get(), FICLONE, file.get()) != 0)
    sys::copy_content({file.get(), what}, {copy.get(), "/" + target.str()}, UINT64_MAX, cancel);
  if (::fchown(copy.get(), status.st_uid, status.st_gid) != 0)
    util::throw_errno("cannot set the owner of /" + target.str());
  root.set_mode(target, status.st_mode & 07777);
  root.set_mtime(target, status.st_mtim);
}

}  // namespace

void copy_tree(int source, const std::string& what, sys::RootedDir& root, const sys::RootedPath& target,
               const sys::Cancellation& cancel) {
  struct stat status;
  if (::fstat(source, &status) != 0) util::throw_errno("cannot look at " + what);
  if (!S_ISDIR(status.st_mode)) return copy_file(source, what, root, target, status, cancel);
  sys::UniqueFd directory(::open(sys::link_of(source).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) util::throw_errno("cannot open " + what);
  TreeCopier(sys::RootedDir(std::move(directory), sys::RootedDir::Times::natural), root, cancel)
      .copy(sys::RootedPath(), target);
  root.settle();
}

}  // namespace sandbox
