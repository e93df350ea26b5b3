// In the directory that the asker's path leads to.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "common/sandbox/changes.hpp"
#include "common/sys/proc.hpp"

namespace sandbox {
namespace {

using Kind = SystemPath::Kind;

Answer refused(int error) {
  return {.error = error};
}

// Of the machine's own files, where nobody can make or remove a name.
bool is_machines(const Named& named) {
  return named.system && named.system->kind != Kind::behind_link;
}

class NameChange {
public:
  NameChange(const Change& change, const SupervisedRoot& root) : change_(change), root_(root) {}

  Answer answer() {
    // What stands in the step's root for a device is the step's.
    for (const auto* named : {&change_.first, &change_.second}) {
      if (is_machines(*named) && named->system->path.starts_with("/dev/"))
        return {.kind = Answer::Kind::from_root};
    }
    switch (change_.call.question) {
      case Question::rename:
        return rename();
      case Question::link:
        return link();
      default:
        return is_machines(change_.first) ? refuse() : change_one();
    }
  }

private:
  Spot spot_of(const Named& named) const {
    return named.system ? spot_behind(root_, *named.system) : spot_in(root_, named.path);
  }

  static bool is_there(const SystemPath& system) {
    struct stat status;
    return system.kind == Kind::link || ::lstat(system.path.c_str(), &status) == 0;
  }

  static Answer refuse_new(const SystemPath& system) {
    if (is_there(system)) return refused(EEXIST);
    return refused(system.read_only || system.path.starts_with("/sys") ? EROFS : ENOENT);
  }

  Answer refuse() const {
    const auto& system = *change_.first.system;
    const auto question = change_.call.question;
    if (question != Question::remove && question != Question::remove_directory) return refuse_new(system);
    const bool is_user = change_.rights.uid != 0;
    if (change_.first.path.find('/', 1) == std::string::npos) return refused(is_user ? EACCES : EBUSY);
    if (system.read_only || system.path.starts_with("/sys")) return refused(EROFS);
    if (!is_there(system)) return refused(ENOENT);
    // Of a process's own directory there the kernel does not ask who may write to it.
    if (is_user && change_.first.path.find('/', 6) == std::string::npos) return refused(EACCES);
    return refused(question == Question::remove_directory && system.kind == Kind::link ? ENOTDIR : EPERM);
  }

  Answer change_one() const {
    const auto spot = spot_of(change_.first);
    if (!spot.directory) return refused(ENOENT);
    const int directory = spot.directory.get();
    const char* const name = spot.name.c_str();
    const auto number = [&](int index) { return static_cast<unsigned>(change_.argument(index)); };
    switch (change_.call.question) {
      case Question::make_directory:
        if (::mkdirat(directory, name, number(0)) != 0) return refused(errno);
        set_mode_of_new(change_.rights, spot, number(0) & 01777);
        return {};
      case Question::make_node:
        if (::mknodat(directory, name, number(0), number(1)) != 0) return refused(errno);
        set_mode_of_new(change_.rights, spot, number(0) & 07777);
        return {};
      case Question::make_symlink: {
        std::string target;
        if (!change_.memory.read_path(change_.arguments[0], target)) return refused(EFAULT);
        return done(::symlinkat(target.c_str(), directory, name));
      }
      case Question::remove:
        return done(
            ::unlinkat(directory, name, change_.call.takes_directory ? static_cast<int>(number(0)) : 0));
      case Question::remove_directory:
        return done(::unlinkat(directory, name, AT_REMOVEDIR));
      default:
        return {.kind = Answer::Kind::from_root};
    }
  }

  Answer rename() const {
    if (is_machines(change_.first) || is_machines(change_.second)) return refused(EXDEV);
    const auto from = spot_of(change_.first);
    const auto to = spot_of(change_.second);
    if (!from.directory || !to.directory) return refused(ENOENT);
    const auto flags = is_renameat2() ? static_cast<unsigned>(change_.arguments[4]) : 0U;
    return done(static_cast<int>(::syscall(SYS_renameat2, from.directory.get(), from.name.c_str(),
                                           to.directory.get(), to.name.c_str(), flags)));
  }

  Answer link() const {
    const auto& system = change_.first.system;
    const bool is_kept = change_.links == sys::Links::kept;
    if (is_machines(change_.first) && !is_there(*system)) return refused(ENOENT);
    if (is_machines(change_.second)) return refuse_new(*change_.second.system);
    if (is_machines(change_.first) && (is_kept || system->kind == Kind::link)) return refused(EXDEV);
    const auto to = spot_of(change_.second);
    if (!to.directory) return refused(ENOENT);
    const auto give = [&](int directory, const std::string& name, int flags) {
      return done(::linkat(directory, name.c_str(), to.directory.get(), to.name.c_str(), flags));
    };
    if (is_machines(change_.first)) return give(AT_FDCWD, system->path, AT_SYMLINK_FOLLOW);
    if (is_kept) {
      const auto from = spot_of(change_.first);
      return from.directory ? give(from.directory.get(), from.name, 0) : refused(ENOENT);
    }
    // The kernel would follow a link out of the root.
    const auto file = system ? open_behind(root_, *system) : open_in(root_, change_.first.path);
    return file ? give(AT_FDCWD, sys::link_of(file.get()), AT_SYMLINK_FOLLOW) : refused(ENOENT);
  }

  // renameat(2), too, takes directories, and has nothing behind them.
  bool is_renameat2() const {
#if defined(__x86_64__)
    constexpr int of_companion = 353;
#else
    constexpr int of_companion = 382;
#endif
    return change_.call.number ==
           (change_.call.architecture == native_architecture ? SYS_renameat2 : of_companion);
  }

  static Answer done(int result) {
    return result < 0 ? refused(errno) : Answer{};
  }

  const Change& change_;
  const SupervisedRoot& root_;
};

}  // namespace

Answer change_names(const Change& change, const SupervisedRoot& root) {
  const ActingAs acting(change.rights);
  return NameChange(change, root).answer();
}

void set_mode_of_new(const Rights& rights, const Spot& spot, mode_t mode) {
  // Nobody shall exchange it for a link meanwhile.
  const sys::UniqueFd made(
      ::openat(spot.directory.get(), spot.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!made || ::fstat(made.get(), &status) != 0) return;
  mode = (mode & ~rights.umask) | (status.st_mode & S_ISGID);
  // A default ACL of the directory takes the place of the umask.
  const auto directory = sys::link_of(spot.directory.get());
  if ((status.st_mode & 07777) == mode ||
      ::getxattr(directory.c_str(), "system.posix_acl_default", nullptr, 0) >= 0)
    return;
  ::chmod(sys::link_of(made.get()).c_str(), mode);
}

}  // namespace sandbox
