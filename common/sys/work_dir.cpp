// Work directories and their locks.
#include "common/sys/work_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
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
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 && is_same_file(named, opened);
}

// Whether mkdtemp() or mkstemp() may have made that name.
bool is_made_name(const std::string& name, const std::string& prefix) {
  return name.starts_with(prefix) && name.size() == prefix.size() + 6;
}

// True if `fd` is of our own and no living run has locked it; then it is locked here.
bool is_left_over(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid() &&
         (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)) && ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

// What dead runs made never has mounts: what somebody else mounted there is not ours to empty.
bool has_mounts(const fs::path& path) {
  return !mount_points_below(read_file("/proc/self/mountinfo"), resolved_path(path)).empty();
}

}  // namespace

void remove_leftovers(const fs::path& parent, const std::string& prefix) {
  for (const auto& path : readable_entries_of(parent)) {
    if (!is_made_name(path.filename().string(), prefix)) continue;
    try {
      const auto status = find_status(path, Links::kept);
      if (!status || (!S_ISDIR(status->st_mode) && !S_ISREG(status->st_mode))) continue;
      const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
      if (!fd || !is_left_over(fd.get()) || !names(path, fd.get()) || has_mounts(path)) continue;
      util::log::debug("removing " + util::quote(path.string()) + ", which a run that was killed left");
      remove_tree(path, Cancellation());
    } catch (const util::Error& failure) {
      if (failure.is_cancelled()) throw;
      util::log::warning(failure.what());
    }
  }
}

WorkDir::Locked WorkDir::make(const fs::path& parent, const std::string& prefix) {
  remove_leftovers(parent, prefix);
  for (;;) {
    TempDir directory(parent, prefix);
    auto lock = open_directory(directory.path());
    if (!lock && errno != ENOENT) util::throw_errno("cannot open " + util::quote(directory.path().string()));
    if (lock) wait_for_lock(lock.get());
    // Another run may have come before the lock, taken the directory for a leftover and removed it.
    if (lock && names(directory.path(), lock.get())) {
      return {.lock = std::move(lock), .directory = std::move(directory)};
    }
  }
}

WorkDir::WorkDir(Locked made) : lock_(std::move(made.lock)), directory_(std::move(made.directory)) {}

WorkDir::WorkDir(const fs::path& parent, const std::string& prefix) : WorkDir(make(parent, prefix)) {}

WorkFile::WorkFile(const fs::path& parent, const std::string& prefix, mode_t mode) {
  remove_leftovers(parent, prefix);
  do {
    std::string pattern = (parent / (prefix + "XXXXXX")).string();
    lock_ = make_temporary_file(pattern, mode, "a file in " + util::quote(parent.string()));
    path_ = pattern;
    wait_for_lock(lock_.get());
  } while (!names(path_, lock_.get()));  // as above
}

WorkFile::~WorkFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void WorkFile::commit(const fs::path& place) {
  if (::rename(path_.c_str(), place.c_str()) != 0)
    util::throw_errno("cannot create " + util::quote(place.string()));
  path_.clear();
}

}  // namespace sys
