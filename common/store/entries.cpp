// Kinds of entries, looked at before they are opened: to open a device is to use it.
#include "common/store/entries.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

constexpr std::string_view use_suffix = ".used";

// Others may put odd things there as often as they like, but we do not look for ever.
constexpr int tries = 10;

bool is_own(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_nlink == 1;
}

// Empty with errno; ENOTDIR for whatever is no directory, also a symlink to one.
sys::UniqueFd open_folder(const Folder& parent, const std::string& name) {
  return sys::UniqueFd(::openat(parent.fd(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::string new_name() {
  std::array<std::uint8_t, 8> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    util::throw_errno("cannot get random bytes");
  std::string name = "new-";
  for (const auto byte : random) {
    name += static_cast<char>('a' + byte / 16);
    name += static_cast<char>('a' + byte % 16);
  }
  return name;
}

}  // namespace

std::string Folder::shown() const {
  return util::quote(path_.string());
}

std::string Folder::shown(const std::string& name) const {
  return util::quote((path_ / name).string());
}

// With a "." for those who would not follow the kernel's link, if it were the last component.
std::filesystem::path Folder::handle() const {
  return sys::link_of(fd()) + "/.";
}

sys::UniqueFd Folder::open_list() const {
  sys::UniqueFd list(::openat(fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!list) util::throw_errno("cannot read the directory " + shown());
  return list;
}

std::optional<Folder> find_folder(const Folder& parent, const std::string& name) {
  auto fd = open_folder(parent, name);
  if (fd) return Folder(std::move(fd), parent.path() / name);
  if (errno == ENOENT) return std::nullopt;
  const int reason = errno;
  struct stat status = {};
  if (::fstatat(parent.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode))
    throw util::Error(parent.shown(name) + " is " + std::string(sys::kind_of_file(status.st_mode)));
  util::throw_errno("cannot open " + parent.shown(name), reason);
}

Folder require_folder(const Folder& parent, const std::string& name, mode_t mode, const Warn& warn) {
  const auto what = parent.shown(name);
  for (int left = tries; left > 0; --left) {
    struct stat status = {};
    if (auto fd = open_folder(parent, name)) {
      const bool is_closed = ::fstat(fd.get(), &status) == 0 && (status.st_mode & S_IRWXU) != S_IRWXU;
      if (is_closed && ::chmod(sys::link_of(fd.get()).c_str(), mode) != 0)
        util::throw_errno("cannot enter " + what);
      return {std::move(fd), parent.path() / name};
    }
    if (errno == ENOENT) {
      if (::mkdirat(parent.fd(), name.c_str(), mode) != 0 && errno != EEXIST)
        util::throw_errno("cannot create " + what);
      continue;
    }
    if (::fstatat(parent.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
      util::throw_errno("cannot create " + what);
    // Not remove_tree: another build may have made the directory since.
    if (::unlinkat(parent.fd(), name.c_str(), 0) != 0 && errno != ENOENT && errno != EISDIR)
      util::throw_errno("cannot remove " + what);
    warn("replaced " + what + " in the store, which was " + std::string(sys::kind_of_file(status.st_mode)) +
         " and not a directory");
  }
  util::throw_errno("cannot create " + what, EEXIST);
}

sys::UniqueFd open_own_file(const Folder& folder, const std::string& name) {
  constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  for (int left = tries; left > 0; --left) {
    if (is_own_file(folder, name)) {
      sys::UniqueFd fd(::openat(folder.fd(), name.c_str(), flags, 0644));
      struct stat status = {};
      if (fd && ::fstat(fd.get(), &status) == 0 && (is_own(status) || status.st_nlink == 0)) return fd;
      if (!fd && errno != EISDIR && errno != ELOOP && errno != ENXIO && errno != EACCES && errno != EINTR)
        util::throw_errno("cannot create " + folder.shown(name));
      if (!fd && errno == EINTR) continue;
    }
    if (!remove_entry(folder, name)) break;
  }
  util::throw_errno("cannot create " + folder.shown(name));
}

sys::UniqueFd find_file(const Folder& folder, const std::string& name) {
  return sys::find_entry_at(folder.fd(), name, folder.shown(name));
}

bool remove_entry(const Folder& folder, const std::string& name) noexcept {
  try {
    sys::remove_tree_at(folder.fd(), name, folder.shown(name));
    return true;
  } catch (const util::Error&) {
    return false;
  }
}

bool remove_entry(const Folder& folder, const std::string& name, const sys::Cancellation& cancel) {
  try {
    sys::remove_tree_at(folder.fd(), name, folder.shown(name), cancel);
    return true;
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    return false;
  }
}

std::string use_of(const std::string& name) {
  return name + std::string(use_suffix);
}

std::string of_use(const std::string& name) {
  return name.substr(0, name.size() - use_suffix.size());
}

bool is_use(const std::string& name) {
  return name.ends_with(use_suffix);
}

bool is_leftover(const std::string& name) {
  return name.starts_with("new-") || name.starts_with("tree-") || name.starts_with("mount-");
}

bool is_own_file(const Folder& folder, const std::string& name) {
  struct stat status = {};
  return ::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || is_own(status);
}

bool is_file_at(int fd, const Folder& folder, const std::string& name) {
  struct stat open = {};
  struct stat there = {};
  return ::fstat(fd, &open) == 0 && ::fstatat(folder.fd(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
         sys::is_same_file(open, there);
}

bool has_hole(int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return false;
  const off_t hole = ::lseek(fd, 0, SEEK_HOLE);
  return hole >= 0 && hole < status.st_size;
}

NewEntry::~NewEntry() {
  if (name_.empty()) return;
  try {
    sys::remove_tree_at(partial_->fd(), name_, shown());
  } catch (const util::Error& error) {
    util::log::warning(error.what());
  }
}

NewEntry NewEntry::file(const Folder& partial) {
  for (;;) {
    auto name = new_name();
    sys::UniqueFd fd(::openat(partial.fd(), name.c_str(),
                              O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600));
    if (fd) return {partial, std::move(name), std::move(fd)};
    if (errno != EEXIST && errno != EINTR) util::throw_errno("cannot create a file in " + partial.shown());
  }
}

NewEntry NewEntry::directory(const Folder& partial) {
  for (;;) {
    auto name = new_name();
    if (::mkdirat(partial.fd(), name.c_str(), 0700) == 0) return {partial, std::move(name), sys::UniqueFd()};
    if (errno != EEXIST) util::throw_errno("cannot make a directory in " + partial.shown());
  }
}

Folder NewEntry::open() const {
  auto folder = find_folder(*partial_, name_);
  if (!folder) throw util::Error(shown() + " was removed by somebody else");
  return std::move(*folder);
}

void NewEntry::place(const Folder& folder, const std::string& name) {
  if (fd_) {
    if (::fchmod(fd_.get(), 0644) != 0) util::throw_errno("cannot set the mode of " + folder.shown(name));
    sys::close_checked(std::move(fd_), folder.shown(name));
  }
  if (::renameat(partial_->fd(), name_.c_str(), folder.fd(), name.c_str()) != 0)
    util::throw_errno("cannot create " + folder.shown(name));
  name_.clear();
}

void write_entry(const Folder& folder, const std::string& name, std::string_view content,
                 const Folder& partial) {
  auto file = NewEntry::file(partial);
  sys::write_all(file.fd(), content, folder.shown(name));
  file.place(folder, name);
}

}  // namespace store
