// What takes room on a disk, and how much is left.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"

namespace sys {

// What a file or directory takes (stat(3type): blocks are of 512 bytes, whatever the filesystem's).
std::uint64_t bytes_on_disk(const struct stat& status) noexcept;

// What a directory, open for reading, takes with all that is in it; nothing that is mounted there, and a file
// of several names once if all of them are there. As far as it can be looked at. However deep it is, one
// directory of it is open at a time. Throws as Cancellation::check does.
std::uint64_t disk_use(UniqueFd directory, const Cancellation& cancel = {});
// The same by its path; nothing where no directory is.
std::uint64_t disk_use(const std::filesystem::path& directory, const Cancellation& cancel = {});

// Of the filesystem that a file or directory is on.
struct DiskRoom {
  std::uint64_t free = 0;  // bytes, for us
  std::uint64_t size = 0;
  bool is_full = false;  // there is no room for much more than a file
  bool is_read_only = false;

  friend bool operator==(const DiskRoom&, const DiskRoom&) = default;
};

// Nothing where the kernel does not say.
std::optional<DiskRoom> room_on_disk(int fd) noexcept;
std::optional<DiskRoom> room_on_disk(const std::filesystem::path& path) noexcept;

}  // namespace sys
