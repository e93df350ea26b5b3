// What the store remembers of a cache mount.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/store/entries.hpp"
#include "common/sys/cancellation.hpp"

namespace store {

struct MountRecord {
  std::uint64_t bytes = 0;   // that it took on disk
  std::string used = {};     // when it had been used last by then (time_of_use); empty if nobody has counted
  std::int64_t counted = 0;  // when that was, in seconds since the epoch
  std::uint64_t free = 0;    // bytes that were free on the disk then
};

// In the folder of a mount, beside the directory `mount_root`. A mount is there as long as this is.
inline constexpr auto mount_record_name = "mount.json";
inline constexpr auto mount_root = "root";

// The mtime of a mount's folder, to the nanosecond.
std::string time_of_use(const struct stat& status);

// As write_entry() does. Throws util::Error.
void write_mount_record(const Folder& place, const MountRecord& record, const Folder& partial);

// Nothing if there is none. Throws util::Error for a damaged one.
std::optional<MountRecord> read_mount_record(const Folder& place);

// Bytes that are free on the disk of `place`; as many as can be if that is not known.
std::uint64_t free_on_disk(const Folder& place);

// What the mount in `place` takes on disk, written down for the next time, which is no use of it. `now` is in
// seconds since the epoch. Nothing is too odd to be counted; what cannot be read is left out. Throws as
// sys::Cancellation::check does.
std::uint64_t count_mount(const Folder& place, std::int64_t now, const Folder& partial,
                          const sys::Cancellation& cancel);

}  // namespace store
