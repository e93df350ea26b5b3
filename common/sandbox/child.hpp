// What happens between clone and exec of a step's process: an exact list, made beforehand, because a process
// cloned from one with threads must not touch the heap.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/sys/fd.hpp"

namespace sandbox {

// A filesystem that the child mounts.
struct NewFilesystem {
  std::string type;  // empty = none
  std::string options = {};
  std::string fallback_options = {};  // tried when the kernel refuses `options`; empty = none
  unsigned long flags = 0;            // MS_*
};

// One mount: of a detached tree (open_tree), or of a new filesystem, which the child makes into one.
struct MountStep {
  enum class Point { directory, file };  // what is made where the target does not exist

  std::string target;  // absolute, inside the root
  Point point = Point::directory;
  sys::UniqueFd tree{};
  NewFilesystem filesystem = {};
  std::uint64_t attributes = 0;  // MOUNT_ATTR_* set on a given tree, recursively
  bool optional = false;         // a refusal is no error
  bool takes_mode = false;       // of the directory that it covers, where that was there before
};

// Where the nodes of /dev come from.
enum class Devices {
  made,        // nodes of the step's own, in its /dev
  made_aside,  // the same on a filesystem out of its sight, attached one by one: its /dev itself opens none
  attached,    // the machine's own, on read-only mounts: where nobody may make any
  none,
};

struct DeviceNode {
  std::string name;  // relative to /dev; at most one directory on the way, which is made
  mode_t type;       // S_IFCHR or S_IFBLK
  dev_t number;
};

// A filesystem of the system ("/proc", "/sys", "/dev") with all that lies and is hidden in it. The child puts
// it together before it enters the root, where there is nothing that a step has named or linked.
struct SystemTree {
  MountStep base;                        // its target is a name in the root, which must be a real directory
  std::vector<MountStep> inside = {};    // targets are relative to the base
  std::vector<std::string> masked = {};  // nothing can be read at or below them; relative, as are these:
  std::vector<std::string> read_only = {};
  Devices devices = Devices::none;
  std::vector<DeviceNode> nodes = {};  // made besides; everybody may read and write them
};

struct ChildPlan {
  sys::UniqueFd root;       // a detached mount of the root directory
  std::string root_target;  // where it is put before it becomes "/": any directory
  std::vector<SystemTree> system;
  std::vector<MountStep> mounts;
  bool lock = false;      // lock_mounts()
  bool loopback = false;  // bring up "lo" of a new network namespace
  std::string hostname;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::uint64_t capabilities = 0;        // bit n = capability n
  bool ambient = false;                  // whoever the user is, and whatever is executed, keeps them
  std::span<const sock_filter> seccomp;  // empty = none
  std::string working_dir;
  // The starter (starter.cpp), on a read-only mount, and its arguments: they end in nullptr and are owned by
  // the maker of the plan.
  int starter_fd = -1;
  std::vector<char*> argv;
  std::vector<char*> environment;  // the same
  int stdin_fd = -1;
  int output_fd = -1;
  int error_fd = -1;  // gets a Failure when a step fails
  // What the child needs of our descriptors beside 0-2, rising. It closes all others before it looks at any
  // path of the step's: by /proc/self/fd they lead to directories of the machine.
  std::vector<int> kept_fds;
};

// Carries the plan out as process 1 of new namespaces and becomes the starter, which becomes the step's
// program. Never returns: after a failure it reports it and exits with 127.
[[noreturn]] void run_child(ChildPlan& plan) noexcept;

}  // namespace sandbox
