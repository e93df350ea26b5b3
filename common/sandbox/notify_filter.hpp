// Filters of system calls that the isolation "chroot" adds to the profile.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace sandbox {

// What a step asks its supervisor.
enum class Question {
  open,      // openat(directory, path, flags, mode), and creat
  open_how,  // openat2(directory, path, how, size)
  status,    // newfstatat(directory, path, status, flags); without a directory stat and lstat
  statx,
  access,
  link_target,
  filesystem,  // statfs(path, result)
  attribute,   // getxattr and its kind: of what lies there nothing has any
  attributes,
  enter,    // chdir(path)
  execute,  // execve(path, ...), execveat(directory, path, arguments, environment, flags)
  signal    // kill(process, signal)
};

// A system call that is handed to the supervisor. One that takes a directory is so with AT_FDCWD alone: with
// a descriptor the path is a relative one, and programs that walk trees make thousands of those.
struct TrappedCall {
  std::uint32_t architecture;  // AUDIT_ARCH_*
  int number;
  Question question;
  bool takes_directory;  // as the first argument, before the path
  enum class Variant {
    usual,
    no_follow,  // lstat, lgetxattr, llistxattr
    create,     // creat
    compat,     // of 32 bits, with a result of another layout: fstatat64, stat64
    compat_no_follow
  } variant = Variant::usual;
};

// Null for a call that is none of them.
const TrappedCall* find_trapped(std::uint32_t architecture, int number) noexcept;

// Asks about these calls, and allows all others.
const std::vector<sock_filter>& supervised_filter();

// Refuses sockets that lead out of the machine's kernel or name its devices: EAFNOSUPPORT, as where the
// kernel has no network.
const std::vector<sock_filter>& no_network_filter();

}  // namespace sandbox
