// Kinds of entries, looked at before they are opened: to open a device is to use it.
#include "common/store/entries.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

// Others may put odd things there as often as they like, but we do not look for ever.
constexpr int tries = 10;

bool is_own(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_nlink == 1;
}

}  // namespace

void require_directory(const std::filesystem::path& path, mode_t mode, const Warn& warn) {
  const auto what = util::quote(path.string());
  for (int left = tries; left > 0; --left) {
    if (::mkdir(path.c_str(), mode) == 0) return;
    struct stat status = {};
    if (errno != EEXIST || ::lstat(path.c_str(), &status) != 0) util::throw_errno("cannot create " + what);
    if (S_ISDIR(status.st_mode)) {
      const bool is_closed = (status.st_mode & S_IRWXU) != S_IRWXU;
      if (is_closed && ::chmod(path.c_str(), mode) != 0) util::throw_errno("cannot enter " + what);
      return;
    }
    // Not remove_tree: another build may have made the directory since.
    if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != EISDIR)
      util::throw_errno("cannot remove " + what);
    warn("replaced " + what + " in the store, which was " + std::string(sys::kind_of_file(status.st_mode)) +
         " and not a directory");
  }
  util::throw_errno("cannot create " + what, EEXIST);
}

sys::UniqueFd open_own_file(const std::filesystem::path& path) {
  constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  for (int left = tries; left > 0; --left) {
    if (is_own_file(path)) {
      sys::UniqueFd fd(::open(path.c_str(), flags, 0644));
      struct stat status = {};
      if (fd && ::fstat(fd.get(), &status) == 0 && (is_own(status) || status.st_nlink == 0)) return fd;
      if (!fd && errno != EISDIR && errno != ELOOP && errno != ENXIO && errno != EACCES && errno != EINTR)
        util::throw_errno("cannot create " + util::quote(path.string()));
      if (!fd && errno == EINTR) continue;
    }
    if (!remove_entry(path)) break;
  }
  util::throw_errno("cannot create " + util::quote(path.string()));
}

void write_entry(const std::filesystem::path& path, std::string_view content,
                 const std::filesystem::path& partial) {
  sys::PendingFile file(path, 0644, partial / "new-");
  sys::write_all(file.fd(), content, util::quote(path.string()));
  file.commit();
}

bool remove_entry(const std::filesystem::path& path) noexcept {
  try {
    sys::remove_tree(path);
    return true;
  } catch (const util::Error&) {
    return false;
  }
}

bool is_own_file(const std::filesystem::path& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) != 0 || is_own(status);
}

bool has_hole(int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return false;
  const off_t hole = ::lseek(fd, 0, SEEK_HOLE);
  return hole >= 0 && hole < status.st_size;
}

}  // namespace store
