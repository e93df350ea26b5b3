// Lock files that are removed again by who holds them.
#include "common/store/lock_file.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "common/util/error.hpp"

namespace store {

std::optional<sys::UniqueFd> try_lock_file(const Folder& folder, const std::string& name) {
  for (;;) {
    auto fd = open_own_file(folder, name);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      if (errno != EINTR) util::throw_errno("cannot lock " + folder.shown(name));
    } else if (is_file_at(fd.get(), folder, name)) {
      return fd;
    }
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
