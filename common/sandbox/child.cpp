// The child's side of the sandbox, from clone to exec.
#include "common/sandbox/child.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "common/sandbox/child_steps.hpp"
#include "common/sandbox/mount_flags.hpp"

namespace sandbox {

void fail(const ChildPlan& plan, Failure::Step step, int index) noexcept {
  const Failure failure{.step = step, .index = index, .error = errno};
  [[maybe_unused]] const auto ignored = ::write(plan.error_fd, &failure, sizeof failure);
  ::_exit(127);
}

namespace {

void close_between(const ChildPlan& plan, unsigned first, unsigned last) noexcept {
  if (!close_descriptors(first, last)) fail(plan, Failure::Step::root);
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

// Leaves 0-2, the pipe for a failure under its number, and the starter, which closes at exec: the working
// directory and the program must not be found by way of a descriptor.
void set_descriptors(ChildPlan& plan) noexcept {
  if (::dup2(plan.stdin_fd, 0) < 0 || ::dup2(plan.output_fd, 1) < 0 || ::dup2(plan.output_fd, 2) < 0)
    fail(plan, Failure::Step::root);
  if (plan.starter_fd <= failure_fd) {
    const int moved = ::fcntl(plan.starter_fd, F_DUPFD_CLOEXEC, failure_fd + 1);
    if (moved < 0) fail(plan, Failure::Step::root);
    plan.starter_fd = moved;
  }
  if (plan.error_fd != failure_fd) {
    if (::dup3(plan.error_fd, failure_fd, O_CLOEXEC) < 0) fail(plan, Failure::Step::root);
    plan.error_fd = failure_fd;
  }
  const auto starter = static_cast<unsigned>(plan.starter_fd);
  close_between(plan, failure_fd + 1, starter - 1);
  close_between(plan, starter + 1, ~0U);
}

}  // namespace

void run_child(ChildPlan& plan) noexcept {
  using enum Failure::Step;
  begin_process();
  close_others(plan);
  // What is mounted in here must not show outside; unmounts outside may come in.
  if (::mount(nullptr, "/", nullptr, ms_rec | ms_slave, nullptr) != 0) fail(plan, root);
  make_trees(plan);
  enter_root(plan);
  attach_trees(plan);
  if (plan.lock && !lock_mounts()) fail(plan, lock);
  if (plan.loopback) bring_up_loopback(plan);
  // Refused where the kernel or the sandbox around us lets nobody rename the machine; the name is a nicety.
  [[maybe_unused]] const auto ignored = ::sethostname(plan.hostname.data(), plan.hostname.size());
  set_descriptors(plan);
  limit_process();
  // The step may start where its user could not go.
  const bool is_entered = enter_working_dir(plan);
  if (!is_entered && errno != EACCES) fail(plan, working_dir);
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before the capabilities go.
  apply_seccomp(plan);
  become_user(plan);
  // A change of ids clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!is_entered && !enter_working_dir(plan)) fail(plan, working_dir);
  ::fcntl(plan.error_fd, F_SETFD, 0);  // the starter's, until it executes the program
  ::syscall(SYS_execveat, plan.starter_fd, "", plan.argv.data(), plan.environment.data(), AT_EMPTY_PATH);
  fail(plan, starter);
}

}  // namespace sandbox
