// What the store remembers of a cache mount.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/store/entries.hpp"
#include "common/sys/cancellation.hpp"

namespace store {

struct MountRecord {
  std::uint64_t bytes = 0;  // that it took on disk
  std::string used = {};    // when it had been used last by then (time_of_use); empty if nobody looked
};

// In the folder of a mount, beside the directory `mount_root`. A mount is there as long as this is.
inline constexpr auto mount_record_name = "mount.json";
inline constexpr auto mount_root = "root";

// The mtime of a mount's folder, to the nanosecond.
std::string time_of_use(const struct stat& status);

// As write_entry() does. Throws util::Error.
void write_mount_record(const Folder& place, const MountRecord& record, const Folder& partial);

// What the mount in `place` takes on disk: as its record says if nobody has used it since, else counted, and
// written down for the next time. Nothing is too odd to be counted; what cannot be read is left out. Nothing
// if there is no record. Throws as sys::Cancellation::check does.
std::optional<std::uint64_t> bytes_of_mount(const Folder& place, const Folder& partial,
                                            const sys::Cancellation& cancel);

}  // namespace store
