// Lock files that are removed again by who holds them.
#include "common/store/lock_file.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "common/util/error.hpp"

namespace store {

bool try_lock(int fd, int operation, const std::string& what) {
  while (::flock(fd, operation | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) util::throw_errno("cannot lock " + what);
  }
  return true;
}

HeldLock::~HeldLock() {
  if (fd_) ::flock(fd_.get(), LOCK_UN);
}

std::optional<sys::UniqueFd> try_lock_file(const Folder& folder, const std::string& name) {
  for (;;) {
    auto fd = open_own_file(folder, name);
    if (!try_lock(fd.get(), LOCK_EX, folder.shown(name))) return std::nullopt;
    if (is_file_at(fd.get(), folder, name)) return fd;
    // The one who had the lock moved or removed the file between our open and our lock.
  }
}

std::optional<LockFile> LockFile::try_lock(const Folder& folder, std::string name) {
  auto fd = try_lock_file(folder, name);
  if (!fd) return std::nullopt;
  return LockFile(folder, std::move(name), std::move(*fd));
}

LockFile::~LockFile() {
  if (fd_) ::unlinkat(folder_->fd(), name_.c_str(), 0);
}

}  // namespace store
