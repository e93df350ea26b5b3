// Records of cache mounts as small JSON files, and what is counted for them.
#include "common/store/mount_record.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/log.hpp"

namespace store {
namespace {

constexpr auto mount_schema = "oci-build/store-mount/1";
constexpr std::uint64_t most_mount_record_bytes = 4096;

struct CloseStream {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Steps may nest directories without end, so one is open at a time, and the way back is "..", to what is
// known to have been there.
class DiskUse {
public:
  explicit DiskUse(const sys::Cancellation& cancel) : cancel_(cancel) {}

  std::uint64_t of(sys::UniqueFd directory) {
    if (!enter(std::move(directory))) return bytes_;
    while (!levels_.empty()) {
      cancel_.check();
      auto& below = levels_.back().below;
      if (below.empty()) {
        if (!leave()) break;
        continue;
      }
      const auto name = std::move(below.back());
      below.pop_back();
      enter(sys::UniqueFd(::openat(at_.get(), name.c_str(), flags)));
    }
    return bytes_;
  }

private:
  static constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

  struct Level {
    struct stat status;
    std::vector<std::string> below;  // directories that are still to be looked at
  };

  bool enter(sys::UniqueFd directory) {
    Level level = {};
    if (!directory || ::fstat(directory.get(), &level.status) != 0) return false;
    bytes_ += bytes_on_disk(level.status);
    const std::unique_ptr<DIR, CloseStream> stream(::fdopendir(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0)));
    while (const dirent* const entry = stream ? ::readdir(stream.get()) : nullptr) {
      cancel_.check();
      const char* const name = entry->d_name;
      if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
      struct stat status = {};
      if (entry->d_type != DT_DIR &&
          (::fstatat(directory.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode))) {
        // A file of several names counts once, all names together.
        if (status.st_nlink > 0) bytes_ += bytes_on_disk(status) / status.st_nlink;
        continue;
      }
      level.below.emplace_back(name);
    }
    at_ = std::move(directory);
    levels_.push_back(std::move(level));
    return true;
  }

  bool leave() {
    levels_.pop_back();
    if (levels_.empty()) return false;
    sys::UniqueFd above(::openat(at_.get(), "..", flags));
    struct stat status = {};
    if (!above || ::fstat(above.get(), &status) != 0 || !sys::is_same_file(status, levels_.back().status))
      return false;
    at_ = std::move(above);
    return true;
  }

  sys::Cancellation cancel_;
  sys::UniqueFd at_;  // the last of levels_
  std::vector<Level> levels_;
  std::uint64_t bytes_ = 0;
};

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
  struct statvfs disk = {};
  if (::fstatvfs(place.fd(), &disk) != 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(disk.f_bfree) * disk.f_frsize;
}

std::uint64_t count_mount(const Folder& place, std::int64_t now, const Folder& partial,
                          const sys::Cancellation& cancel) {
  struct stat before = {};
  if (::fstat(place.fd(), &before) != 0) return 0;
  const auto bytes = DiskUse(cancel).of(
      sys::UniqueFd(::openat(place.fd(), mount_root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
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
