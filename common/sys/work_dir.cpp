// Work directories and their locks.
#include "common/sys/work_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/stop.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

namespace fs = std::filesystem;

UniqueFd open_directory(const fs::path& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool names(const fs::path& path, int fd) {
  struct stat named;
  struct stat opened;
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

// True if `fd` is a directory of our own that no living run has locked; then it is locked here.
bool is_left_over(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid() && ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void remove_leftovers(const fs::path& parent, const std::string& prefix) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const auto fd = open_directory(entry.path());
    if (!fd || !is_left_over(fd.get()) || !names(entry.path(), fd.get())) continue;
    // A directory of ours never has mounts that outlive us. What somebody else mounted there is not ours to
    // empty.
    const auto path = fs::canonical(entry.path(), error);
    if (error || !mount_points_below(read_file("/proc/self/mountinfo"), path).empty()) continue;
    util::log::debug("removing " + util::quote(entry.path().string()) + ", which a run that was killed left");
    try {
      remove_tree_unless_stopped(entry.path());
    } catch (const util::Error& failure) {
      stop::check();
      util::log::warning(failure.what());
    }
  }
}

}  // namespace

WorkDir::Locked WorkDir::make(const fs::path& parent, const std::string& prefix) {
  remove_leftovers(parent, prefix);
  for (;;) {
    TempDir directory(parent, prefix);
    auto lock = open_directory(directory.path());
    if (!lock && errno != ENOENT) util::throw_errno("cannot open " + util::quote(directory.path().string()));
    while (lock && ::flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) {}
    // Another run may have come before the lock, taken the directory for a leftover and removed it.
    if (lock && names(directory.path(), lock.get())) {
      return {.lock = std::move(lock), .directory = std::move(directory)};
    }
  }
}

WorkDir::WorkDir(Locked made) : lock_(std::move(made.lock)), directory_(std::move(made.directory)) {}

WorkDir::WorkDir(const fs::path& parent, const std::string& prefix) : WorkDir(make(parent, prefix)) {}

}  // namespace sys
