#include "common/sandbox/compat_status.hpp"

namespace sandbox {

CompatStatus compat_status(const struct stat& status) noexcept {
  const auto low = [](auto value) { return static_cast<std::uint32_t>(value); };
  return {.device = status.st_dev,
          .unused_1 = 0,
          .short_inode = low(status.st_ino),
          .mode = status.st_mode,
          .links = low(status.st_nlink),
          .uid = status.st_uid,
          .gid = status.st_gid,
          .special_device = status.st_rdev,
          .unused_2 = 0,
          .size = status.st_size,
          .block_size = low(status.st_blksize),
          .blocks = static_cast<std::uint64_t>(status.st_blocks),
          .access_time = low(status.st_atim.tv_sec),
          .access_nanoseconds = low(status.st_atim.tv_nsec),
          .change_time = low(status.st_mtim.tv_sec),
          .change_nanoseconds = low(status.st_mtim.tv_nsec),
          .status_time = low(status.st_ctim.tv_sec),
          .status_nanoseconds = low(status.st_ctim.tv_nsec),
          .inode = status.st_ino};
}

}  // namespace sandbox
