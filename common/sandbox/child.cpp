// The child's side of the sandbox. No function here may allocate, lock or throw.
#include "common/sandbox/child.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "common/sandbox/mount_flags.hpp"

// linux/mount.h and sys/mount.h of older libcs cannot be included together.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace sandbox {
namespace {

[[noreturn]] void fail(const ChildPlan& plan, Failure::Step step, int index = -1) noexcept {
  const Failure failure{.step = step, .index = index, .error = errno};
  [[maybe_unused]] const auto ignored = ::write(plan.error_fd, &failure, sizeof failure);
  ::_exit(127);
}

void close_between(const ChildPlan& plan, unsigned first, unsigned last) noexcept {
  if (first <= last && ::syscall(SYS_close_range, first, last, 0U) != 0) fail(plan, Failure::Step::root);
}

void close_others(const ChildPlan& plan) noexcept {
  unsigned next = 3;
  for (const int kept : plan.kept_fds) {
    if (kept < 3) continue;
    close_between(plan, next, static_cast<unsigned>(kept) - 1);
    next = static_cast<unsigned>(kept) + 1;
  }
  close_between(plan, next, ~0U);
}

bool set_attributes(int fd, const char* path, std::uint64_t attributes) noexcept {
  mount_attr attr{};
  attr.attr_set = attributes;
  return ::syscall(SYS_mount_setattr, fd, path, AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) == 0;
}

// Makes the process's own proc while the one around us is still in sight: in a user namespace the kernel asks
// for it, so that what is hidden in that one does not come into view. -1 = refused.
int detached_proc() noexcept {
  if (::mount("proc", "/proc", "proc", ms_nosuid | ms_nodev | ms_noexec, nullptr) != 0) return -1;
  return static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

void enter_root(const ChildPlan& plan) noexcept {
  using enum Failure::Step;
  if (::syscall(SYS_move_mount, plan.root.get(), "", AT_FDCWD, plan.root_target.c_str(),
                MOVE_MOUNT_F_EMPTY_PATH) != 0 ||
      ::chdir(plan.root_target.c_str()) != 0) {
    fail(plan, root);
  }
  // The old root ends up on top of the new one and is taken off: no directory for it is needed
  // (pivot_root(2), NOTES).
  if (::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", mnt_detach) != 0 || ::chdir("/") != 0)
    fail(plan, root);
}

bool is_missing(const char* path) noexcept {
  struct stat status;
  return ::stat(path, &status) != 0 && errno == ENOENT;
}

// Puts what the symlink points to in its place, which is the first `length` characters of `path`. False if
// there is no symlink.
bool expand_symlink(char (&path)[PATH_MAX], std::size_t length) noexcept {
  char target[PATH_MAX];
  const char end = path[length];
  path[length] = '\0';
  const ssize_t read = ::readlink(path, target, sizeof target);
  const std::size_t parent =
      read > 0 && target[0] == '/' ? 0 : static_cast<std::size_t>(std::strrchr(path, '/') + 1 - path);
  path[length] = end;
  if (read < 0) return false;
  const auto size = static_cast<std::size_t>(read);
  const std::size_t rest = std::strlen(path + length) + 1;
  if (parent + size + rest > PATH_MAX) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memmove(path + parent + size, path + length, rest);
  std::memcpy(path + parent, target, size);
  return true;
}

// Makes the directories on the way to `path`, and it itself as a directory or an empty file, also where a
// symlink on the way leads to something missing. What is there must be a directory or none, as `point` says.
bool make_mount_point(const char* path, MountStep::Point point) noexcept {
  const bool wants_directory = point == MountStep::Point::directory;
  struct stat status;
  if (::stat(path, &status) == 0) {
    errno = ENOTDIR;
    return S_ISDIR(status.st_mode) == wants_directory;
  }
  if (errno != ENOENT) return false;
  char partial[PATH_MAX];
  const std::size_t size = std::strlen(path) + 1;
  if (size > sizeof partial) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(partial, path, size);
  constexpr int max_symlinks = 255;
  int symlinks = 0;
  for (std::size_t end = 1;; ++end) {
    if (partial[end] != '/' && partial[end] != '\0') continue;
    const bool is_last = partial[end] == '\0';
    partial[end] = '\0';
    if (is_last && !wants_directory) {
      const int fd = ::open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
      if (fd >= 0) ::close(fd);
      if (fd >= 0 || errno != EEXIST) return fd >= 0;
    } else if (::mkdir(partial, 0755) != 0 && errno != EEXIST) {
      return false;
    }
    const bool dangles = is_missing(partial);
    if (!is_last) partial[end] = '/';
    if (dangles) {
      if (++symlinks > max_symlinks || !expand_symlink(partial, end)) return false;
      end = 0;
    } else if (is_last) {
      return true;
    }
  }
}

bool attach_tree(int tree, const char* target) noexcept {
  // Follow the last component too, as a mount on a path does.
  return ::syscall(SYS_move_mount, tree, "", AT_FDCWD, target,
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0;
}

bool attach(const MountStep& step) noexcept {
  if (step.tree) {
    return (step.attributes == 0 || set_attributes(step.tree.get(), "", step.attributes)) &&
           attach_tree(step.tree.get(), step.target.c_str());
  }
  const auto mount_with = [&step](const std::string& options) {
    return ::mount(step.type.c_str(), step.target.c_str(), step.type.c_str(), step.flags, options.c_str()) ==
           0;
  };
  return mount_with(step.options) || (!step.fallback_options.empty() && mount_with(step.fallback_options));
}

struct Device {
  const char* path;
  unsigned minor;
  unsigned major;
};

void make_devices(const ChildPlan& plan) noexcept {
  constexpr Device devices[] = {{"/dev/null", 3, 1},   {"/dev/zero", 5, 1},    {"/dev/full", 7, 1},
                                {"/dev/random", 8, 1}, {"/dev/urandom", 9, 1}, {"/dev/tty", 0, 5}};
  constexpr const char* links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                      {"/proc/self/fd/0", "/dev/stdin"},
                                      {"/proc/self/fd/1", "/dev/stdout"},
                                      {"/proc/self/fd/2", "/dev/stderr"},
                                      {"pts/ptmx", "/dev/ptmx"}};
  ::umask(0);
  for (const auto& device : devices) {
    if (!plan.make_devices) break;
    if (::mknod(device.path, S_IFCHR | 0666, ::makedev(device.major, device.minor)) != 0) {
      fail(plan, Failure::Step::device);
    }
  }
  for (const auto& link : links) {
    if (::symlink(link[0], link[1]) != 0) fail(plan, Failure::Step::device);
  }
  ::umask(022);
}

void mount_all(const ChildPlan& plan, int new_proc) noexcept {
  ::umask(022);
  if (!make_mount_point("/proc", MountStep::Point::directory) || !attach_tree(new_proc, "/proc")) {
    fail(plan, Failure::Step::proc);
  }
  ::close(new_proc);
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    const auto& step = plan.mounts[i];
    if (!make_mount_point(step.target.c_str(), step.point) || !attach(step)) {
      if (!step.optional) fail(plan, Failure::Step::mount, static_cast<int>(i));
    } else if (step.target == "/dev" && !plan.host_devices) {
      make_devices(plan);
    }
  }
}

void hide(const ChildPlan& plan) noexcept {
  for (const auto& path : plan.masked) {
    if (::mount("/dev/null", path.c_str(), nullptr, ms_bind, nullptr) == 0 || errno == ENOENT) continue;
    if (errno == ENOTDIR && ::mount("tmpfs", path.c_str(), "tmpfs", ms_rdonly, "size=0k") == 0) continue;
    fail(plan, Failure::Step::mask);
  }
  for (const auto& path : plan.read_only) {
    if (::mount(path.c_str(), path.c_str(), nullptr, ms_bind | ms_rec, nullptr) != 0) {
      if (errno == ENOENT) continue;
      fail(plan, Failure::Step::mask);
    }
    const unsigned long flags = ms_bind | ms_remount | ms_rdonly | ms_nosuid | ms_nodev | ms_noexec;
    if (::mount(nullptr, path.c_str(), nullptr, flags, nullptr) != 0) fail(plan, Failure::Step::mask);
  }
}

void bring_up_loopback(const ChildPlan& plan) noexcept {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  // A sandbox around us that grants SYS_ADMIN but not NET_ADMIN leaves the device down: no network is no
  // network.
  if (fd < 0 || (::ioctl(fd, SIOCSIFFLAGS, &request) != 0 && errno != EPERM)) {
    fail(plan, Failure::Step::network);
  }
  ::close(fd);
}

void apply_seccomp(const ChildPlan& plan) noexcept {
  if (plan.seccomp.empty()) return;
  const sock_fprog program{.len = static_cast<unsigned short>(plan.seccomp.size()),
                           .filter = const_cast<sock_filter*>(plan.seccomp.data())};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) fail(plan, Failure::Step::seccomp);
}

void become_user(const ChildPlan& plan) noexcept {
  using enum Failure::Step;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((plan.capabilities >> capability & 1) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 &&
        errno != EINVAL) {
      fail(plan, identity);
    }
  }
  if (plan.ambient && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) fail(plan, identity);
  // The libc functions would wait for threads that this process does not have.
  if (::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0 ||
      ::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0 ||
      ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) != 0) {
    fail(plan, identity);
  }
  if (plan.uid != 0 && !plan.ambient) return;  // the kernel has just taken all capabilities away
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2]{};
  for (int half = 0; half < 2; ++half) {
    data[half].effective = data[half].permitted =
        static_cast<std::uint32_t>(plan.capabilities >> (32 * half));
    if (plan.ambient) data[half].inheritable = data[half].permitted;
  }
  if (::syscall(SYS_capset, &header, data) != 0) fail(plan, identity);
  for (int capability = 0; plan.ambient && capability <= CAP_LAST_CAP; ++capability) {
    if ((plan.capabilities >> capability & 1) != 0 &&
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0 && errno != EINVAL) {
      fail(plan, identity);
    }
  }
}

void set_standard_streams(const ChildPlan& plan) noexcept {
  if (::dup2(plan.stdin_fd, 0) < 0 || ::dup2(plan.output_fd, 1) < 0 || ::dup2(plan.output_fd, 2) < 0) {
    fail(plan, Failure::Step::root);
  }
  // The working directory and the program must not be found by way of a descriptor. What reports a failed
  // exec closes at exec.
  const auto error_fd = static_cast<unsigned>(plan.error_fd);
  close_between(plan, 3, error_fd - 1);
  close_between(plan, error_fd + 1, ~0U);
}

}  // namespace

void run_child(const ChildPlan& plan) noexcept {
  using enum Failure::Step;
  for (int signal = 1; signal < NSIG; ++signal)
    ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setsid();

  close_others(plan);
  // What is mounted in here must not show outside; unmounts outside may come in.
  if (::mount(nullptr, "/", nullptr, ms_rec | ms_slave, nullptr) != 0) fail(plan, root);
  const int new_proc = detached_proc();
  if (new_proc < 0) fail(plan, Failure::Step::proc);
  enter_root(plan);
  mount_all(plan, new_proc);
  if (plan.loopback) bring_up_loopback(plan);
  // Refused where the kernel or the sandbox around us lets nobody rename the machine; the name is a nicety.
  [[maybe_unused]] const auto ignored = ::sethostname(plan.hostname.data(), plan.hostname.size());
  set_standard_streams(plan);
  hide(plan);
  // No core file in a layer unless the step asks for one.
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = 0;
  ::setrlimit(RLIMIT_CORE, &core);

  // The step may start where its user could not go.
  const bool is_entered = ::chdir(plan.working_dir.c_str()) == 0;
  if (!is_entered && errno != EACCES) fail(plan, working_dir);
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before the capabilities go.
  apply_seccomp(plan);
  become_user(plan);
  // A change of ids clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::umask(022);
  if (!is_entered && ::chdir(plan.working_dir.c_str()) != 0) fail(plan, working_dir);
  int found_but_refused = 0;
  for (const auto& program : plan.programs) {
    ::execve(program.c_str(), plan.argv.data(), plan.environment.data());
    if (errno != ENOENT && errno != ENOTDIR) found_but_refused = errno;
  }
  errno = found_but_refused != 0 ? found_but_refused : ENOENT;
  fail(plan, exec);
}

}  // namespace sandbox
