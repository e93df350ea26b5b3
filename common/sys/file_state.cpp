// Asked of the kernel, without a look at any byte.
#include "common/sys/file_state.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <csignal>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

namespace sys {
namespace {

// The kernel gives a lease for reading to nobody while the file is open, or mapped, for writing. It is given
// back at once. Whoever comes in between waits for that, and the signal that tells us of it is one that is
// ignored by default, as SIGIO is not.
bool has_writer(int fd) noexcept {
  if (::fcntl(fd, F_SETSIG, SIGURG) != 0 || ::fcntl(fd, F_SETLEASE, F_RDLCK) != 0) return true;
  ::fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

}  // namespace

std::int64_t nanoseconds_of(const timespec& time) noexcept {
  constexpr std::uint64_t second = 1'000'000'000;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) * second +
                                   static_cast<std::uint64_t>(time.tv_nsec));
}

FileState FileState::of(const struct stat& status) noexcept {
  return {.inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified = nanoseconds_of(status.st_mtim),
          .changed = nanoseconds_of(status.st_ctim)};
}

bool is_past(const timespec& time) noexcept {
  timespec now = {};
  return ::clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
         (now.tv_sec > time.tv_sec || (now.tv_sec == time.tv_sec && now.tv_nsec > time.tv_nsec));
}

bool tells_changes(int fd) noexcept {
  constexpr std::array<long, 3> known = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC};
  struct statfs system = {};
  return ::fstatfs(fd, &system) == 0 && std::find(known.begin(), known.end(), system.f_type) != known.end();
}

// Whole seconds are what file systems with a coarse clock say, where two changes may have one time. Writers
// are looked for last: a write sets the time before the bytes.
bool is_settled(int fd, const struct stat& status) noexcept {
  return status.st_ctim.tv_nsec != 0 && is_past(status.st_ctim) && !has_writer(fd);
}

}  // namespace sys
