// Detached mounts by open_tree(2).
#include "common/sandbox/trees.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

sys::UniqueFd clone_tree_at(int directory, const char* path, unsigned flags) {
  flags |= OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  return sys::UniqueFd(static_cast<int>(::syscall(SYS_open_tree, directory, path, flags)));
}

}  // namespace

sys::UniqueFd detached_tree(const std::filesystem::path& path) {
  auto fd = clone_tree_at(AT_FDCWD, path.c_str(), 0);
  if (!fd) util::throw_errno("cannot mount " + util::quote(path.string()));
  return fd;
}

sys::UniqueFd detached_tree(int place, const std::string& what) {
  auto fd = clone_tree_at(place, "", AT_EMPTY_PATH);
  if (!fd) util::throw_errno("cannot mount " + what);
  return fd;
}

void set_tree_attributes(int tree, std::uint64_t attributes) {
  mount_attr attr{};
  attr.attr_set = attributes;
  if (::syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) != 0)
    util::throw_errno("cannot set the attributes of a mount");
}

}  // namespace sandbox
