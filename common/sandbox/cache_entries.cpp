// By rename, entry by entry: the directory itself is the cache's, and others know it.
#include "common/sandbox/cache_entries.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "common/sandbox/copy_tree.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"

namespace sandbox {
namespace {

using namespace std::chrono_literals;
using Times = sys::RootedDir::Times;

sys::UniqueFd opened(int directory) {
  sys::UniqueFd fd(::open(sys::link_of(directory).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot open a cache");
  return fd;
}

// The name, in a cache, of a directory that is only there while entries are copied.
constexpr const char* being_replaced = ".oci-build-new";

// False where the two lie on different filesystems, and nothing has been moved.
bool move_entries(int from, int to) {
  bool moved = false;
  int error = 0;
  for (const auto& name : sys::names_in(opened(from), "a cache")) {
    if (::renameat(from, name.c_str(), to, name.c_str()) == 0) {
      moved = true;
    } else if (errno == EXDEV && !moved) {
      return false;
    } else if (error == 0) {
      error = errno;  // the others come along
    }
  }
  if (error != 0) util::throw_errno("cannot move an entry of a cache", error);
  return true;
}

void copy_entries(int from, int to, const sys::Cancellation& cancel) {
  sys::RootedDir target(opened(to), Times::natural);
  for (const auto& name : sys::names_in(opened(from), "a cache")) {
    const sys::UniqueFd entry(::openat(from, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status;
    if (!entry || ::fstat(entry.get(), &status) != 0) continue;
    const auto place = sys::RootedPath().child(name);
    if (S_ISLNK(status.st_mode)) {
      sys::RootedDir source(opened(from), Times::natural);
      target.make_symlink(place, source.target_of(place));
    } else if (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)) {
      copy_tree(entry.get(), "an entry of a cache", target, place, cancel);
    }
  }
}

// What is new lies beside what was there until all of it is: a disk that is full leaves the cache as it was.
void replace_entries(int from, int cache) {
  sys::RootedDir kept(opened(cache), Times::natural);
  const auto fresh = sys::RootedPath().child(being_replaced);
  kept.remove(fresh);
  kept.make_directory(fresh);
  try {
    copy_entries(from, kept.open_place("/" + fresh.str()).get(), {});
  } catch (const util::Error& error) {
    kept.remove(fresh);
    util::log::warning(std::string("a cache stays as it was before the step: ") + error.what());
    return;
  }
  for (const auto& name : sys::names_in(opened(cache), "a cache"))
    if (name != being_replaced) kept.remove(sys::RootedPath().child(name));
  move_entries(kept.open_place("/" + fresh.str()).get(), cache);
  kept.remove(fresh);
}

void take_over(int from, int to) {
  struct stat status;
  if (::fstat(from, &status) != 0) util::throw_errno("cannot look at a cache");
  const timespec times[] = {status.st_atim, status.st_mtim};
  if (::fchown(to, status.st_uid, status.st_gid) != 0 || ::fchmod(to, status.st_mode & 07777) != 0 ||
      ::futimens(to, times) != 0)
    util::throw_errno("cannot make a directory like that of a cache");
}

}  // namespace

sys::UniqueFd lock_cache(int cache, const sys::Cancellation& cancel) {
  auto fd = opened(cache);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) break;  // a filesystem without locks
    cancel.sleep(20ms);
  }
  return fd;
}

bool enter_cache(int cache, sys::RootedDir& root, const sys::RootedPath& place,
                 const sys::Cancellation& cancel) {
  const auto directory = opened(root.open_place("/" + place.str()).get());
  sys::RootedDir(opened(cache), Times::natural).remove(sys::RootedPath().child(being_replaced));
  const bool copied = !move_entries(cache, directory.get());
  if (copied) copy_entries(cache, directory.get(), cancel);
  take_over(cache, directory.get());
  return copied;
}

void leave_cache(int cache, bool is_copied, sys::RootedDir& root, const sys::RootedPath& place) {
  const auto status = root.status(place);
  if (!status || !S_ISDIR(status->st_mode)) return;  // the step has removed it
  const auto directory = opened(root.open_place("/" + place.str()).get());
  if (is_copied) {
    replace_entries(directory.get(), cache);
  } else {
    move_entries(directory.get(), cache);
  }
  take_over(directory.get(), cache);
}

}  // namespace sandbox
