// Records of cache mounts as small JSON files, and what is counted for them.
#include "common/store/mount_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/sys/disk_use.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/log.hpp"

namespace store {
namespace {

constexpr auto mount_schema = "oci-build/store-mount/1";
constexpr std::uint64_t most_mount_record_bytes = 4096;

}  // namespace

std::string time_of_use(const struct stat& status) {
  return std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

std::optional<MountRecord> read_mount_record(const Folder& place) {
  const std::string what = "record";
  const auto file = find_file(place, mount_record_name);
  if (!file) return std::nullopt;
  const auto document = util::parse_json(sys::read_to_end(file.get(), what, most_mount_record_bytes), what);
  const util::JsonFields fields(document, what);
  fields.require_exactly({"schema", "bytes", "used", "counted", "free"});
  if (fields.string("schema") != mount_schema) fields.fail("schema", "not " + std::string(mount_schema));
  return MountRecord{.bytes = fields.unsigned_integer("bytes"),
                     .used = fields.string("used"),
                     .counted = static_cast<std::int64_t>(fields.unsigned_integer("counted")),
                     .free = fields.unsigned_integer("free")};
}

void write_mount_record(const Folder& place, const MountRecord& record, const Folder& partial) {
  const nlohmann::ordered_json document = {{"schema", mount_schema},
                                           {"bytes", record.bytes},
                                           {"used", record.used},
                                           {"counted", record.counted},
                                           {"free", record.free}};
  write_entry(place, mount_record_name, util::dump_json(document) + "\n", partial);
}

std::uint64_t free_on_disk(const Folder& place) {
  const auto room = sys::room_on_disk(place.fd());
  return room ? room->free : std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t count_mount(const Folder& place, std::int64_t now, const Folder& partial,
                          const sys::Cancellation& cancel) {
  struct stat before = {};
  if (::fstat(place.fd(), &before) != 0) return 0;
  const auto bytes = sys::disk_use(
      sys::UniqueFd(::openat(place.fd(), mount_root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
      cancel);
  try {
    const MountRecord record{
        .bytes = bytes, .used = time_of_use(before), .counted = now, .free = free_on_disk(place)};
    write_mount_record(place, record, partial);
    // Where the filesystem does not take the time as it is, it is counted again.
    const timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, before.st_mtim};
    if (::utimensat(AT_FDCWD, place.handle().c_str(), times, 0) != 0)
      util::throw_errno("cannot set the time of " + place.shown());
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    util::log::debug(error.what());
  }
  return bytes;
}

}  // namespace store
