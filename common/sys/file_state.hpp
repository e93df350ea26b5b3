// Whether a file that is found as it was still has the bytes that it had.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>

namespace sys {

// What no change of a file's bytes leaves as it is, on one device: nobody can set the time of the last
// change.
struct FileState {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970, of far times the last 64 bits
  std::int64_t changed = 0;

  static FileState of(const struct stat& status) noexcept;
  friend bool operator==(const FileState&, const FileState&) = default;
};

std::int64_t nanoseconds_of(const timespec& time) noexcept;

// True once the clock that times of change are taken from has gone on: what changes from now on has a later
// time.
bool is_past(const timespec& time) noexcept;

// True where every change of a file's bytes sets that time, also one through a mapping, once the file is
// opened or mapped anew: known of ext2 to ext4, XFS and btrfs. Not of overlays, where nobody sees who has
// mapped a file; of tmpfs and ZFS, which set no time when a page is written, or late; nor of what another
// machine or program answers for.
bool tells_changes(int fd) noexcept;

// True if the bytes that are read from now on belong to `status`, which fstat(2) has just said of `fd`, open
// for reading: as long as that is what the file says, on a file system that tells changes. Nobody has it open
// or mapped for writing, and its last change is past. False where that cannot be found out: for files of
// somebody else without CAP_LEASE, say.
bool is_settled(int fd, const struct stat& status) noexcept;

}  // namespace sys
