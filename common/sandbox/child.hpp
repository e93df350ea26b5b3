// What happens between clone and exec of a step's process: an exact list, made beforehand, because a process
// cloned from one with threads must not touch the heap.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/sys/fd.hpp"

namespace sandbox {

// One mount inside the new root, whose paths the kernel resolves there, so that no symlink leads out of it.
struct MountStep {
  enum class Point { directory, file };  // what is made where the target does not exist

  std::string target;  // absolute, inside the root
  Point point = Point::directory;
  sys::UniqueFd tree{};   // a detached mount (open_tree) to attach; or else:
  std::string type = {};  // of a new filesystem
  std::string options = {};
  std::string fallback_options = {};  // tried when the kernel refuses `options`; empty = none
  unsigned long flags = 0;            // MS_* of a new filesystem
  std::uint64_t attributes = 0;       // MOUNT_ATTR_* set on an attached tree, recursively
  bool optional = false;              // a refusal is no error
};

struct ChildPlan {
  sys::UniqueFd root;               // a detached mount of the root directory
  std::string root_target;          // where it is put before it becomes "/": any directory
  std::vector<MountStep> mounts;    // beside /proc
  std::vector<std::string> masked;  // nothing can be read below them
  std::vector<std::string> read_only;
  bool make_devices =
      true;  // nodes in /dev by mknod; in a user namespace they are attached as mounts instead
  bool host_devices = false;  // /dev is the machine's own
  bool loopback = false;      // bring up "lo" of a new network namespace
  std::string hostname;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::uint64_t capabilities = 0;        // bit n = capability n
  bool ambient = false;                  // whoever the user is, and whatever is executed, keeps them
  std::span<const sock_filter> seccomp;  // empty = none
  std::string working_dir;
  std::vector<std::string> programs;  // tried in order: argv[0], or it in every directory of PATH
  std::vector<char*> argv;            // ends in nullptr; owned by the maker of the plan
  std::vector<char*> environment;     // the same
  int stdin_fd = -1;
  int output_fd = -1;
  int error_fd = -1;  // O_CLOEXEC; gets a Failure when a step fails
  // What the child needs of our descriptors beside 0-2, rising. It closes all others before it looks at any
  // path of the step's: by /proc/self/fd they lead to directories of the machine.
  std::vector<int> kept_fds;
};

// Which step failed with which errno.
struct Failure {
  enum class Step { root, proc, mount, device, mask, network, identity, seccomp, working_dir, exec };

  Step step = Step::root;
  int index = -1;  // into ChildPlan::mounts for Step::mount
  int error = 0;
};

// Carries the plan out as process 1 of new namespaces and becomes the step's program. Never returns: after a
// failure it reports it and exits with 127.
[[noreturn]] void run_child(const ChildPlan& plan) noexcept;

}  // namespace sandbox
