// What counts of a file's status, in half the memory.
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace solver {

// A struct stat without what no copy asks for: blocks, and the times of access and of change.
struct CompactStatus {
  std::int64_t size = 0;
  std::int64_t seconds = 0;  // of the last modification
  dev_t device = 0;
  ino_t inode = 0;
  dev_t node = 0;  // which device a device node stands for
  std::uint32_t nanoseconds = 0;
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint32_t links = 0;

  static CompactStatus of(const struct stat& status) {
    return {.size = status.st_size,
            .seconds = status.st_mtim.tv_sec,
            .device = status.st_dev,
            .inode = status.st_ino,
            .node = status.st_rdev,
            .nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec),
            .mode = status.st_mode,
            .uid = status.st_uid,
            .gid = status.st_gid,
            .links = static_cast<std::uint32_t>(status.st_nlink)};
  }

  void set_time(const timespec& time) {
    seconds = time.tv_sec;
    nanoseconds = static_cast<std::uint32_t>(time.tv_nsec);
  }

  struct stat whole() const {
    struct stat status = {};
    status.st_size = size;
    status.st_mtim = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    status.st_dev = device;
    status.st_ino = inode;
    status.st_rdev = node;
    status.st_mode = mode;
    status.st_uid = uid;
    status.st_gid = gid;
    status.st_nlink = links;
    return status;
  }
};

}  // namespace solver
