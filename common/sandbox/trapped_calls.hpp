// The system calls of a step that its supervisor is asked about.
#pragma once

#include <linux/audit.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "common/sys/paths.hpp"

namespace sandbox {

// Of this machine, and of the programs of 32 bits that it runs besides.
#if defined(__x86_64__)
constexpr std::uint32_t native_architecture = AUDIT_ARCH_X86_64;
constexpr std::uint32_t companion_architecture = AUDIT_ARCH_I386;
#elif defined(__aarch64__)
constexpr std::uint32_t native_architecture = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t companion_architecture = AUDIT_ARCH_ARM;
#else
#error "the supervisor knows no system calls of this architecture yet"
#endif

// What a step asks its supervisor.
enum class Question {
  open,      // openat(directory, path, flags, mode), and creat
  open_how,  // openat2(directory, path, how, size)
  status,    // newfstatat(directory, path, status, flags); without a directory stat and lstat
  statx,
  access,
  link_target,
  filesystem,  // statfs(path, result)
  attribute,   // getxattr and its kind
  attributes,  // listxattr
  enter,       // chdir(path)
  execute,     // execve(path, ...), execveat(directory, path, arguments, environment, flags)
  signal,      // kill(process, signal)
  machine,     // uname(result)

  // What changes a file.
  mode,              // chmod(path, mode), fchmodat, fchmodat2(directory, path, mode, flags)
  owner,             // chown(path, uid, gid), fchownat(directory, path, uid, gid, flags)
  times,             // utimensat(directory, path, times, flags) and what it replaces
  size,              // truncate(path, size)
  set_attribute,     // setxattr(path, name, value, size, flags)
  remove_attribute,  // removexattr(path, name)
  file_handle,       // name_to_handle_at(directory, path, handle, mount, flags): changes nothing

  // What changes names.
  make_directory,    // mkdir(path, mode)
  make_node,         // mknod(path, mode, device)
  make_symlink,      // symlink(target, path), symlinkat(target, directory, path)
  remove,            // unlink(path), unlinkat(directory, path, flags)
  remove_directory,  // rmdir(path)
  rename,            // rename(path, path), renameat(directory, path, directory, path), renameat2 with flags
  link               // link(path, path), linkat(directory, path, directory, path, flags)
};

constexpr bool changes_file(Question question) noexcept {
  return question >= Question::mode && question <= Question::file_handle;
}
constexpr bool changes_names(Question question) noexcept {
  return question >= Question::make_directory;
}

// A system call that is handed to the supervisor. One that takes a directory is so with AT_FDCWD alone: with
// a descriptor the path is a relative one, and programs that walk trees make thousands of those.
struct TrappedCall {
  std::uint32_t architecture;  // AUDIT_ARCH_*
  int number;
  Question question;
  bool takes_directory;  // before each path
  enum class Variant {
    usual,
    no_follow,  // lstat, lchown, lgetxattr and its kind
    create,     // creat
    compat,     // of 32 bits, with a structure of another layout: fstatat64, stat64, utimensat, truncate64
    compat_no_follow,
    microseconds,  // utimes, futimesat
    seconds        // utime
  } variant = Variant::usual;

  bool has_two_paths() const noexcept { return question == Question::rename || question == Question::link; }

  // Which argument is a path: the first, or the second of those that have two.
  int path_argument(int which = 0) const noexcept {
    const int before = question == Question::make_symlink ? 1 : 0;
    return before + (takes_directory ? 1 + 2 * which : which);
  }
};

std::span<const TrappedCall> trapped_calls() noexcept;

// Whether a call with these arguments follows a link at the end of `path`, its first one.
sys::Links links_at_end(const TrappedCall& call, const std::uint64_t* arguments,
                        std::string_view path) noexcept;

// Null for a call that is none of them.
const TrappedCall* find_trapped(std::uint32_t architecture, int number) noexcept;

}  // namespace sandbox
