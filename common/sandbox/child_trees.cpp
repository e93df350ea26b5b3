// What is mounted for a step: filesystems are made and filled before the step's root is in sight, so that no
// symlink of it is on the way.
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/sandbox/child_steps.hpp"
#include "common/sandbox/mount_flags.hpp"

namespace sandbox {

bool restrict_tree(int tree, std::uint64_t attributes) noexcept {
  mount_attr attr{};
  attr.attr_set = attributes;
  return attributes == 0 ||
         ::syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) == 0;
}

bool move_tree(int tree, int directory, const char* path, unsigned flags) noexcept {
  return ::syscall(SYS_move_mount, tree, "", directory, path, flags | MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

namespace {

constexpr std::uint64_t device_attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

struct Device {
  const char* name;
  unsigned major;
  unsigned minor;
};

constexpr std::array<Device, 6> device_nodes = {
    {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}}};

constexpr std::array<std::array<const char*, 2>, 5> links = {{{"/proc/self/fd", "fd"},
                                                              {"/proc/self/fd/0", "stdin"},
                                                              {"/proc/self/fd/1", "stdout"},
                                                              {"/proc/self/fd/2", "stderr"},
                                                              {"pts/ptmx", "ptmx"}}};

// A detached copy of what is mounted at `path`, or of one file of it. -1 = refused.
int clone_tree(int directory, const char* path, unsigned flags) noexcept {
  return static_cast<int>(
      ::syscall(SYS_open_tree, directory, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

bool mount_new(const NewFilesystem& filesystem, const char* target) noexcept {
  const auto mount_with = [&](const std::string& options) {
    return ::mount(filesystem.type.c_str(), target, filesystem.type.c_str(), filesystem.flags,
                   options.c_str()) == 0;
  };
  return mount_with(filesystem.options) ||
         (!filesystem.fallback_options.empty() && mount_with(filesystem.fallback_options));
}

// A place to mount on in the working directory, which no step has seen yet.
bool make_point(const char* name, MountStep::Point point) noexcept {
  if (point == MountStep::Point::directory) return ::mkdir(name, 0755) == 0 || errno == EEXIST;
  const int fd = ::open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd >= 0) ::close(fd);
  return fd >= 0 || errno == EEXIST;
}

bool attach_here(const MountStep& step) noexcept {
  const char* target = step.target.c_str();
  if (!make_point(target, step.point)) return false;
  if (!step.tree) return mount_new(step.filesystem, target);
  return restrict_tree(step.tree.get(), step.attributes) && move_tree(step.tree.get(), AT_FDCWD, target);
}

// Trees of single device files, by index of `device_nodes`.
using DeviceTrees = std::array<int, device_nodes.size()>;

// On a filesystem of their own, mounted where the plan's next one will cover it.
bool make_aside(const ChildPlan& plan, DeviceTrees& trees) noexcept {
  const char* const place = plan.root_target.c_str();
  if (::mount("tmpfs", place, "tmpfs", ms_nosuid | ms_noexec, "mode=700,size=64k") != 0 ||
      ::chdir(place) != 0)
    return false;
  for (std::size_t i = 0; i < device_nodes.size(); ++i) {
    const auto& device = device_nodes[i];
    if (::mknod(device.name, S_IFCHR | 0666, ::makedev(device.major, device.minor)) != 0) return false;
    trees[i] = clone_tree(AT_FDCWD, device.name, 0);
    if (trees[i] < 0) return false;
  }
  return true;
}

// A device of the machine: the real one, for its path is not ours. -1 = it is not there or is another.
int open_device(const Device& device) noexcept {
  char path[32] = "/dev/";
  std::strcat(path, device.name);
  const int fd = ::open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || ::fstat(fd, &status) != 0) return -1;
  if (S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(device.major, device.minor)) return fd;
  ::close(fd);
  errno = ENODEV;
  return -1;
}

// A read-only mount of it: its owner and mode are the machine's.
int device_tree(int device) noexcept {
  const int tree = clone_tree(device, "", AT_EMPTY_PATH);
  if (tree < 0 || !restrict_tree(tree, device_attributes | MOUNT_ATTR_RDONLY)) return -1;
  return tree;
}

bool open_machine_devices(DeviceTrees& trees) noexcept {
  for (std::size_t i = 0; i < device_nodes.size(); ++i) {
    const int fd = open_device(device_nodes[i]);
    trees[i] = fd < 0 ? -1 : device_tree(fd);
    if (trees[i] < 0) return false;
    ::close(fd);
  }
  return true;
}

// Fills /dev, the working directory.
bool put_devices(Devices source, const DeviceTrees& trees) noexcept {
  for (std::size_t i = 0; i < device_nodes.size(); ++i) {
    const auto& device = device_nodes[i];
    if (source == Devices::made) {
      if (::mknod(device.name, S_IFCHR | 0666, ::makedev(device.major, device.minor)) != 0) return false;
    } else {
      if (!make_point(device.name, MountStep::Point::file) || !move_tree(trees[i], AT_FDCWD, device.name))
        return false;
      ::close(trees[i]);
    }
  }
  for (const auto& [target, name] : links) {
    if (::symlink(target, name) != 0) return false;
  }
  return true;
}

bool make_nodes(const std::vector<DeviceNode>& nodes) noexcept {
  for (const auto& node : nodes) {
    const auto slash = node.name.find('/');
    if (slash != std::string::npos) {
      char directory[32] = {};
      node.name.copy(directory, std::min(slash, sizeof directory - 1));
      if (::mkdir(directory, 0755) != 0 && errno != EEXIST) return false;
    }
    if (::mknod(node.name.c_str(), node.type | 0666, node.number) != 0) return false;
  }
  return true;
}

// Of paths below the working directory, which the kernel alone has made: what is missing this kernel has not.
bool hide(const SystemTree& system, int null) noexcept {
  for (const auto& path : system.masked) {
    struct stat status;
    if (::lstat(path.c_str(), &status) != 0) {
      if (errno == ENOENT) continue;
      return false;
    }
    if (S_ISDIR(status.st_mode)) {
      if (::mount("tmpfs", path.c_str(), "tmpfs", ms_rdonly, "size=0k") != 0) return false;
      continue;
    }
    const int tree = device_tree(null);
    if (tree < 0 || !move_tree(tree, AT_FDCWD, path.c_str())) return false;
    ::close(tree);
  }
  for (const auto& path : system.read_only) {
    if (::mount(path.c_str(), path.c_str(), nullptr, ms_bind | ms_rec, nullptr) != 0) {
      if (errno == ENOENT) continue;
      return false;
    }
    const unsigned long flags = ms_bind | ms_remount | ms_rdonly | ms_nosuid | ms_nodev | ms_noexec;
    if (::mount(nullptr, path.c_str(), nullptr, flags, nullptr) != 0) return false;
  }
  return true;
}

bool put_together(SystemTree& system, const ChildPlan& plan, int null) noexcept {
  const char* const place = plan.root_target.c_str();
  DeviceTrees trees{};
  if (system.devices == Devices::made_aside && !make_aside(plan, trees)) return false;
  if (system.devices == Devices::attached && !open_machine_devices(trees)) return false;
  auto& base = system.base;
  if (base.tree
          ? !restrict_tree(base.tree.get(), base.attributes) || !move_tree(base.tree.get(), AT_FDCWD, place)
          : !mount_new(base.filesystem, place)) {
    return false;
  }
  if (::chdir(place) != 0) return false;
  for (const auto& step : system.inside) {
    if (!attach_here(step) && !step.optional) return false;
  }
  if (system.devices != Devices::none && !put_devices(system.devices, trees)) return false;
  if (!make_nodes(system.nodes)) return false;
  if (!hide(system, null)) return false;
  base.tree = sys::UniqueFd(clone_tree(AT_FDCWD, ".", AT_RECURSIVE));
  return static_cast<bool>(base.tree);
}

}  // namespace

void make_trees(ChildPlan& plan) noexcept {
  ::umask(0);
  // Before anything else can take its place.
  const int null = open_device(device_nodes[0]);
  if (null < 0) fail(plan, Failure::Step::null_device);
  for (std::size_t i = 0; i < plan.system.size(); ++i) {
    if (!put_together(plan.system[i], plan, null)) fail(plan, Failure::Step::system, static_cast<int>(i));
  }
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    auto& step = plan.mounts[i];
    if (step.tree) continue;
    if (mount_new(step.filesystem, plan.root_target.c_str()))
      step.tree = sys::UniqueFd(clone_tree(AT_FDCWD, plan.root_target.c_str(), 0));
    if (!step.tree) fail(plan, Failure::Step::mount, static_cast<int>(i));
  }
  ::umask(022);
}

}  // namespace sandbox
