// Whole-file reads and atomic writes.
#include "common/sys/file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdlib>

#include "common/sys/cancellation.hpp"
#include "common/sys/proc.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {

namespace {

// What process substitution and "|" make, but not a FIFO that lies in a directory.
bool is_pipe_without_name(int fd) {
  struct statfs filesystem {};
  return ::fstatfs(fd, &filesystem) == 0 && filesystem.f_type == PIPEFS_MAGIC;
}

bool is_accepted(int fd, const struct stat& status, Readable readable) {
  if (S_ISREG(status.st_mode)) return true;
  if (readable == Readable::entry) return false;
  if (S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(1, 3)) return true;
  return readable == Readable::piped_input && S_ISFIFO(status.st_mode) && is_pipe_without_name(fd);
}

[[noreturn]] void refuse(const std::string& what, mode_t mode) {
  throw util::Error(what + " is " + std::string(kind_of_file(mode)) + ", not a file");
}

struct stat status_of(int fd, const std::string& what) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) util::throw_errno("cannot open " + what);
  return status;
}

[[noreturn]] void fail_to_open(int directory, const char* path, const std::string& what, Readable readable) {
  const int error = errno;
  struct stat status {};
  const int flags = readable == Readable::entry ? AT_SYMLINK_NOFOLLOW : 0;
  // ENXIO is all that the kernel says of a socket, ELOOP of a link that is not followed.
  const bool is_kind = (error == ENXIO || error == ELOOP) &&
                       ::fstatat(directory, path, &status, flags) == 0 && !S_ISREG(status.st_mode);
  if (is_kind) refuse(what, status.st_mode);
  util::throw_errno("cannot open " + what, error);
}

UniqueFd find_at(int directory, const char* path, const std::string& what, Readable readable) {
  const int follow = readable == Readable::entry ? O_NOFOLLOW : 0;
  UniqueFd fd;
  for (;;) {
    fd = UniqueFd(::openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | follow));
    if (fd) break;
    if (errno == ENOENT || errno == ENOTDIR) return fd;
    if (errno != EINTR) fail_to_open(directory, path, what, readable);
    Cancellation().check();  // a filesystem of the network may keep us
  }
  const auto status = status_of(fd.get(), what);
  if (!is_accepted(fd.get(), status, readable)) refuse(what, status.st_mode);
  if (S_ISFIFO(status.st_mode) && ::fcntl(fd.get(), F_SETFL, 0) != 0)
    util::throw_errno("cannot open " + what);
  return fd;
}

}  // namespace

std::string_view kind_of_file(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "a file";
  }
}

void require_regular(int fd, const std::string& what) {
  const auto status = status_of(fd, what);
  if (!S_ISREG(status.st_mode)) refuse(what, status.st_mode);
}

UniqueFd find_readable(const std::filesystem::path& path, Readable readable) {
  return find_at(AT_FDCWD, path.c_str(), util::quote(path.string()), readable);
}

UniqueFd find_entry_at(int directory, const std::string& name, const std::string& what) {
  return find_at(directory, name.c_str(), what, Readable::entry);
}

UniqueFd open_readable(const std::filesystem::path& path, Readable readable) {
  auto fd = find_readable(path, readable);
  if (!fd) util::throw_errno("cannot open " + util::quote(path.string()));
  return fd;
}

UniqueFd find_regular_at(int directory, const std::string& name, const std::string& what) {
  const UniqueFd found(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!found && errno == ENOENT) return UniqueFd();
  struct stat status;
  if (!found || ::fstat(found.get(), &status) != 0) util::throw_errno("cannot open " + what);
  if (!S_ISREG(status.st_mode)) return UniqueFd();
  UniqueFd fd(::open(link_of(found.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    const int error = errno;
    if (error == ENOENT) require_proc();
    util::throw_errno("cannot open " + what, error);
  }
  return fd;
}

std::string read_to_end(int fd, const std::string& what, std::uint64_t limit) {
  std::string content;
  util::Buffer buffer(65536);
  while (const std::size_t count = read_some(fd, buffer, what)) {
    if (content.size() + count > limit) {
      throw util::Error(what + " is larger than " + util::human_size(limit));
    }
    content.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return content;
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit, Readable readable) {
  return read_to_end(open_readable(path, readable).get(), util::quote(path.string()), limit);
}

std::string read_if_there(const std::filesystem::path& path) {
  const auto file = find_readable(path);
  return file ? read_to_end(file.get(), util::quote(path.string())) : "";
}

UniqueFd open_beneath(int directory, const std::string& path, int flags) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how)));
}

void write_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  const auto what = util::quote(path.string());
  std::string temporary = (path.parent_path() / ("." + path.filename().string() + ".XXXXXX")).string();
  auto fd = make_temporary_file(temporary, mode, what);
  try {
    write_all(fd.get(), content, what);
    close_checked(std::move(fd), what);
    if (::rename(temporary.c_str(), path.c_str()) != 0) util::throw_errno("cannot create " + what);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

UniqueFd make_temporary_file(std::string& pattern, mode_t mode, const std::string& what) {
  UniqueFd fd(::mkostemp(pattern.data(), O_CLOEXEC));
  if (!fd) util::throw_errno("cannot create " + what);
  if (::fchmod(fd.get(), mode) != 0) {
    const int error = errno;
    ::unlink(pattern.c_str());
    util::throw_errno("cannot set the mode of " + what, error);
  }
  return fd;
}

void replace_directory(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != ENOENT) remove_tree(to);
  if (::rename(from.c_str(), to.c_str()) != 0) util::throw_errno("cannot create " + util::quote(to.string()));
}

}  // namespace sys
