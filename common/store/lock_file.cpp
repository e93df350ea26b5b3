// Lock files that are removed again by who holds them.
#include "common/store/lock_file.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/store/entries.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace store {

bool is_file_at(int fd, const std::filesystem::path& path) {
  struct stat open = {};
  struct stat there = {};
  return ::fstat(fd, &open) == 0 && ::lstat(path.c_str(), &there) == 0 && open.st_dev == there.st_dev &&
         open.st_ino == there.st_ino;
}

std::optional<sys::UniqueFd> try_lock_file(const std::filesystem::path& path) {
  for (;;) {
    auto fd = open_own_file(path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      if (errno != EINTR) util::throw_errno("cannot lock " + util::quote(path.string()));
    } else if (is_file_at(fd.get(), path)) {
      return fd;
    }
    // The one who had the lock moved or removed the file between our open and our lock.
  }
}

std::optional<LockFile> LockFile::try_lock(std::filesystem::path path) {
  auto fd = try_lock_file(path);
  if (!fd) return std::nullopt;
  return LockFile(std::move(path), std::move(*fd));
}

LockFile::~LockFile() {
  if (fd_) ::unlink(path_.c_str());
}

}  // namespace store
