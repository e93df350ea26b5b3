#include "common/sandbox/copy_tree.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "common/sys/copy_content.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

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
               const sys::Cancellation& cancel, sys::TreeCopy::HardLinks links) {
  struct stat status;
  if (::fstat(source, &status) != 0) util::throw_errno("cannot look at " + what);
  if (!S_ISDIR(status.st_mode)) return copy_file(source, what, root, target, status, cancel);
  sys::UniqueFd directory(::open(sys::link_of(source).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) util::throw_errno("cannot open " + what);
  sys::RootedDir from(std::move(directory));
  sys::TreeCopy(from, root, cancel, links).tree(sys::RootedPath(), target);
  root.settle();
}

}  // namespace sandbox
