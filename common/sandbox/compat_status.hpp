// What stat64(2) and fstatat64(2) give to programs of 32 bits.
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace sandbox {

// struct stat64 of i386 (arch/x86/include/uapi/asm/stat.h).
struct [[gnu::packed]] CompatStatus {
  std::uint64_t device;
  std::uint32_t unused_1;
  std::uint32_t short_inode;
  std::uint32_t mode;
  std::uint32_t links;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint64_t special_device;
  std::uint32_t unused_2;
  std::int64_t size;
  std::uint32_t block_size;
  std::uint64_t blocks;
  std::uint32_t access_time;
  std::uint32_t access_nanoseconds;
  std::uint32_t change_time;  // of the content
  std::uint32_t change_nanoseconds;
  std::uint32_t status_time;
  std::uint32_t status_nanoseconds;
  std::uint64_t inode;
};
static_assert(sizeof(CompatStatus) == 96);

CompatStatus compat_status(const struct stat& status) noexcept;

}  // namespace sandbox
