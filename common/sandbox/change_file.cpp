// By a descriptor of what the asker's path leads to.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "common/sandbox/changes.hpp"
#include "common/sys/proc.hpp"

namespace sandbox {
namespace {

using Kind = SystemPath::Kind;
using Variant = TrappedCall::Variant;

constexpr std::uint64_t largest_attribute = 65536;  // XATTR_SIZE_MAX

Answer failed(int error) {
  return {.error = error};
}

class FileChange {
public:
  FileChange(const Change& change, const SupervisedRoot& root) : change_(change), root_(root) {}

  Answer answer() {
    const auto& system = *change_.first.system;
    // What stands in the step's root for a device can be changed.
    if (system.path.starts_with("/dev/") && is_change()) return {.kind = Answer::Kind::from_root};
    if (!open()) return failed(errno);
    struct stat status;
    struct statfs filesystem;
    if (::fstat(file_.get(), &status) != 0 || ::fstatfs(file_.get(), &filesystem) != 0) return failed(errno);
    const bool is_in_proc = filesystem.f_type == PROC_SUPER_MAGIC;
    const bool is_device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
    if (is_in_proc || filesystem.f_type == SYSFS_MAGIC) {
      if (change_.call.question == Question::mode && S_ISLNK(status.st_mode)) return failed(EOPNOTSUPP);
      if (change_.call.question == Question::size) {
        if (S_ISDIR(status.st_mode)) return failed(EISDIR);
        if (is_in_proc && !system.read_only) return done(::truncate(path_.c_str(), length()));
      }
      if (is_change()) return failed(is_in_proc && !system.read_only ? EPERM : EROFS);
      return without_attributes();
    }
    if (is_device && is_machines(status)) {
      if (is_change()) return failed(change_.rights.uid == 0 ? 0 : EPERM);
      return without_attributes();
    }
    return carry_out();
  }

private:
  bool is_change() const {
    const auto question = change_.call.question;
    return question != Question::attribute && question != Question::attributes &&
           question != Question::file_handle;
  }

  bool open() {
    const auto& system = *change_.first.system;
    const bool kept = change_.links == sys::Links::kept;
    if (system.kind == Kind::behind_link && kept) {
      const auto spot = spot_behind(root_, system);
      if (spot.directory)
        file_ =
            sys::UniqueFd(::openat(spot.directory.get(), spot.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      else
        errno = ENOENT;
    } else if (system.kind == Kind::behind_link) {
      file_ = open_behind(root_, system);
      if (!file_) errno = ENOENT;
    } else {
      const char* const name = system.kind == Kind::link ? "/proc/self" : system.path.c_str();
      file_ = sys::UniqueFd(::open(name, O_PATH | (kept ? O_NOFOLLOW : 0) | O_CLOEXEC));
    }
    if (!file_) return false;
    path_ = sys::link_of(file_.get());
    return true;
  }

  // Not one that the step has made in its own root.
  bool is_machines(const struct stat& status) const {
    struct stat of_root;
    return ::fstat(root_.place, &of_root) != 0 || of_root.st_dev != status.st_dev;
  }

  Answer carry_out() {
    const auto number = [&](int index) { return static_cast<unsigned>(change_.argument(index)); };
    switch (change_.call.question) {
      case Question::mode:
        return done(::chmod(path_.c_str(), number(0)));
      case Question::owner:
        return done(::fchownat(file_.get(), "", number(0), number(1), AT_EMPTY_PATH));
      case Question::times:
        return set_times();
      case Question::size:
        return done(::truncate(path_.c_str(), length()));
      case Question::set_attribute:
        return set_attribute();
      case Question::remove_attribute: {
        const auto name = text(change_.argument(0));
        return name ? done(::removexattr(path_.c_str(), name->c_str())) : failed(EFAULT);
      }
      case Question::attribute: {
        const auto name = text(change_.argument(0));
        if (!name) return failed(EFAULT);
        return tell(1, [&](char* value, std::size_t size) {
          return ::getxattr(path_.c_str(), name->c_str(), value, size);
        });
      }
      case Question::attributes:
        return tell(0,
                    [&](char* names, std::size_t size) { return ::listxattr(path_.c_str(), names, size); });
      case Question::file_handle:
        return tell_handle();
      default:
        return {.kind = Answer::Kind::from_root};
    }
  }

  static Answer done(int result) { return result < 0 ? failed(errno) : Answer{}; }

  off_t length() const {
    const auto low = change_.argument(0);
    return static_cast<off_t>(change_.call.variant == Variant::compat ? low | change_.argument(1) << 32
                                                                      : low);
  }

  std::optional<std::string> text(std::uint64_t address) const {
    std::string text;
    if (!change_.memory.read_path(address, text)) return std::nullopt;
    return text;
  }

  // --- times ---

  template <typename Type>
  bool read(std::uint64_t address, Type& value) const {
    return change_.memory.read(address, &value, sizeof value);
  }

  Answer set_times() const {
    const auto address = change_.argument(0);
    std::array<timespec, 2> times{};
    if (address != 0 && !read_times(address, times)) return failed(EFAULT);
    return done(::utimensat(AT_FDCWD, path_.c_str(), address == 0 ? nullptr : times.data(), 0));
  }

  bool read_times(std::uint64_t address, std::array<timespec, 2>& times) const {
    switch (change_.call.variant) {
      case Variant::seconds: {
        utimbuf seconds;
        if (!read(address, seconds)) return false;
        times = {timespec{seconds.actime, 0}, timespec{seconds.modtime, 0}};
        return true;
      }
      case Variant::microseconds: {
        std::array<timeval, 2> parts;
        if (!read(address, parts)) return false;
        for (std::size_t i = 0; i < 2; ++i)
          times[i] = {parts[i].tv_sec, parts[i].tv_usec * 1000};
        return true;
      }
      case Variant::compat: {
        std::array<std::int32_t, 4> parts;
        if (!read(address, parts)) return false;
        times = {timespec{parts[0], parts[1]}, timespec{parts[2], parts[3]}};
        return true;
      }
      default:
        return read(address, times);
    }
  }

  // --- attributes ---

  Answer set_attribute() const {
    const auto name = text(change_.argument(0));
    const auto size = change_.argument(2);
    if (!name) return failed(EFAULT);
    if (size > largest_attribute) return failed(E2BIG);
    std::vector<char> value(size);
    if (size > 0 && !change_.memory.read(change_.argument(1), value.data(), size)) return failed(EFAULT);
    return done(
        ::setxattr(path_.c_str(), name->c_str(), value.data(), size, static_cast<int>(change_.argument(3))));
  }

  // What the arguments from `first` on say where to put, and how much of it.
  template <typename Get>
  Answer tell(int first, const Get& get) const {
    const auto size = std::min<std::uint64_t>(change_.argument(first + 1), largest_attribute);
    std::vector<char> value(size);
    const ssize_t got = get(value.data(), size);
    if (got < 0) return failed(errno);
    if (size > 0 &&
        !change_.memory.write(change_.argument(first), value.data(), static_cast<std::size_t>(got)))
      return failed(EFAULT);
    return {.value = got};
  }

  Answer without_attributes() const {
    if (change_.call.question == Question::file_handle) return failed(EOPNOTSUPP);
    return change_.call.question == Question::attribute ? failed(ENODATA) : Answer{};
  }

  Answer tell_handle() const {
    constexpr std::size_t most = MAX_HANDLE_SZ;
    union {
      file_handle handle;
      char room[sizeof(file_handle) + most];
    } told{};
    const auto address = change_.argument(0);
    if (!read(address, told.handle.handle_bytes)) return failed(EFAULT);
    if (told.handle.handle_bytes > most) return failed(EINVAL);
    const std::size_t size = sizeof(file_handle) + told.handle.handle_bytes;
    int mount = 0;
    const int flags = static_cast<int>(change_.argument(2)) & ~AT_SYMLINK_FOLLOW;
    const int result = ::name_to_handle_at(file_.get(), "", &told.handle, &mount, flags | AT_EMPTY_PATH);
    const int error = errno;
    const std::size_t written = result == 0 ? size : sizeof told.handle.handle_bytes;
    if (!change_.memory.write(address, &told, written)) return failed(EFAULT);
    if (result < 0) return failed(error);
    return change_.memory.write(change_.argument(1), &mount, sizeof mount) ? Answer{} : failed(EFAULT);
  }

  const Change& change_;
  const SupervisedRoot& root_;
  sys::UniqueFd file_;
  std::string path_;  // by that descriptor
};

}  // namespace

Answer change_file(const Change& change, const SupervisedRoot& root) {
  const ActingAs acting(change.rights);
  return FileChange(change, root).answer();
}

}  // namespace sandbox
