// Memory files on a tmpfs.
#include "common/sandbox/memory_files.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/fd.hpp"
#include "common/util/error.hpp"

namespace sandbox {

MemoryFiles::MemoryFiles(const std::filesystem::path& directory) : directory_(directory, "memory-") {
  if (::mount("tmpfs", directory_.path().c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") != 0) {
    util::throw_errno("cannot mount a tmpfs");
  }
}

MemoryFiles::~MemoryFiles() {
  ::umount2(directory_.path().c_str(), MNT_DETACH);
}

MemoryFiles::File::~File() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

MemoryFiles::File MemoryFiles::make(const std::string& content, mode_t mode, uid_t uid, gid_t gid) {
  File file(directory_.path() / std::to_string(count_++));
  const sys::UniqueFd fd(::open(file.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) util::throw_errno("cannot create a memory file");
  sys::write_all(fd.get(), content, "a memory file");
  if (::fchown(fd.get(), uid, gid) != 0 || ::fchmod(fd.get(), mode) != 0) {
    util::throw_errno("cannot set the owner of a memory file");
  }
  return file;
}

}  // namespace sandbox
