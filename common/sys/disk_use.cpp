// By counting blocks, and by statvfs(3).
#include "common/sys/disk_use.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/sys/paths.hpp"

namespace sys {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseStream {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Steps may nest directories without end, so one is open at a time, and the way back is "..", to what is
// known to have been there.
class DiskUse {
public:
  explicit DiskUse(const Cancellation& cancel) : cancel_(cancel) {}

  std::uint64_t of(UniqueFd directory) {
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
      enter(UniqueFd(::openat(at_.get(), name.c_str(), directory_flags)));
    }
    return bytes_;
  }

private:
  struct Level {
    struct stat status;
    std::vector<std::string> below;  // directories that are still to be looked at
  };

  bool enter(UniqueFd directory) {
    Level level = {};
    if (!directory || ::fstat(directory.get(), &level.status) != 0) return false;
    if (!levels_.empty() && level.status.st_dev != levels_.front().status.st_dev) return false;
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
    UniqueFd above(::openat(at_.get(), "..", directory_flags));
    struct stat status = {};
    if (!above || ::fstat(above.get(), &status) != 0 || !is_same_file(status, levels_.back().status))
      return false;
    at_ = std::move(above);
    return true;
  }

  Cancellation cancel_;
  UniqueFd at_;  // the last of levels_
  std::vector<Level> levels_;
  std::uint64_t bytes_ = 0;
};

std::optional<DiskRoom> room_of(int result, const struct statvfs& disk) noexcept {
  constexpr std::uint64_t enough = 1 << 20;
  constexpr std::uint64_t enough_files = 16;
  if (result != 0) return std::nullopt;
  DiskRoom room{.free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize,
                .size = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize,
                .is_read_only = (disk.f_flag & ST_RDONLY) != 0};
  // Some count no files.
  room.is_full = room.free < enough || (disk.f_files > 0 && disk.f_favail < enough_files);
  return room;
}

}  // namespace

std::uint64_t bytes_on_disk(const struct stat& status) noexcept {
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

std::uint64_t disk_use(UniqueFd directory, const Cancellation& cancel) {
  return DiskUse(cancel).of(std::move(directory));
}

std::uint64_t disk_use(const std::filesystem::path& directory, const Cancellation& cancel) {
  return disk_use(UniqueFd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), cancel);
}

std::optional<DiskRoom> room_on_disk(int fd) noexcept {
  struct statvfs disk = {};
  return room_of(::fstatvfs(fd, &disk), disk);
}

std::optional<DiskRoom> room_on_disk(const std::filesystem::path& path) noexcept {
  struct statvfs disk = {};
  return room_of(::statvfs(path.c_str(), &disk), disk);
}

}  // namespace sys
