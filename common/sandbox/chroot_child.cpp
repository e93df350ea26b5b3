// The keeper of a step, and the process that it starts.
#include "common/sandbox/chroot_child.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/sandbox/child_steps.hpp"
#include "common/sandbox/lender.hpp"
#include "common/sandbox/process_tree.hpp"

namespace sandbox {
namespace {

using FailedStep = Failure::Step;

constexpr int socket_fd = failure_fd + 1;

// Leaves 0-2, the pipe for a failure and the socket under their numbers, which close at exec.
void set_step_descriptors(ChrootPlan& plan) noexcept {
  ChildPlan& child = plan.child;
  // Out of the way of the numbers they are to get.
  const auto move = [&](int fd) {
    const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, socket_fd + 1);
    if (moved < 0) fail(child, FailedStep::root);
    return moved;
  };
  const int input = move(child.stdin_fd);
  const int output = move(child.output_fd);
  const int socket = move(plan.listener_socket);
  const int errors = move(child.error_fd);
  child.error_fd = errors;
  if (::dup3(errors, failure_fd, O_CLOEXEC) < 0) fail(child, FailedStep::root);
  child.error_fd = failure_fd;
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0 ||
      ::dup3(socket, socket_fd, O_CLOEXEC) < 0 || !close_descriptors(socket_fd + 1, ~0U)) {
    fail(child, FailedStep::root);
  }
}

// Tells the supervisor of the listener, if there is one, and leaves the socket to the lender.
void send_listener(const ChrootPlan& plan, int listener, pid_t lender) noexcept {
  iovec data{&lender, sizeof lender};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof listener)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (listener >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof listener);
    std::memcpy(CMSG_DATA(header), &listener, sizeof listener);
  }
  if (::sendmsg(socket_fd, &message, MSG_NOSIGNAL) != sizeof lender) fail(plan.child, FailedStep::seccomp);
  if (listener >= 0) ::close(listener);
  ::close(socket_fd);
}

// A listener, or -1 where this kernel gives none: then nobody answers.
int install(std::span<const sock_filter> filter, unsigned long flags) noexcept {
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = const_cast<sock_filter*>(filter.data())};
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

// The listener, or -1.
int apply_filters(const ChrootPlan& plan) noexcept {
  int listener = -1;
  if (!plan.supervised.empty() || !plan.network.empty()) {
    // Who may not administrate the system may set no other filter.
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(plan.child, FailedStep::seccomp);
    apply_seccomp(plan.child);
    if (!plan.network.empty() && install(plan.network, 0) != 0) fail(plan.child, FailedStep::seccomp);
  } else {
    // Where it is refused the filter of the container around us is the one that holds.
    install(plan.child.seccomp, 0);
  }
  if (!plan.supervised.empty()) {
    constexpr unsigned long wait_killable =
        1UL << 5;  // since Linux 5.19: no signal but one that kills comes between
    listener = install(plan.supervised, SECCOMP_FILTER_FLAG_NEW_LISTENER | wait_killable);
    if (listener < 0 && errno == EINVAL)
      listener = install(plan.supervised, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  }
  return listener;
}

// Beside the step's process, under its filters, and with all rights that steps have. Its number, or 0.
pid_t start_lender(ChrootPlan& plan, int listener) noexcept {
  const auto lender = static_cast<pid_t>(::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
  if (lender != 0) return std::max(lender, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int fd : {0, 1, 2, failure_fd, listener})
    ::close(fd);
  plan.child.uid = plan.child.gid = 0;
  become_user(plan.child);
  run_lender(socket_fd);
}

[[noreturn]] void execute(const ChrootPlan& plan) noexcept {
  int found_but_refused = 0;
  for (char* const program : plan.programs) {
    if (program == nullptr) break;
    ::execve(program, plan.child.argv.data(), plan.child.environment.data());
    if (errno != ENOENT && errno != ENOTDIR) found_but_refused = errno;
  }
  errno = found_but_refused != 0 ? found_but_refused : ENOENT;
  fail(plan.child, FailedStep::exec);
}

[[noreturn]] void run_step(ChrootPlan& plan) noexcept {
  ChildPlan& child = plan.child;
  begin_process();
  if (::fchdir(child.root.get()) != 0) fail(child, FailedStep::root);
  set_step_descriptors(plan);
  if (::chroot(".") != 0) fail(child, FailedStep::root);
  limit_process();
  const bool is_entered = enter_working_dir(child);
  if (!is_entered && errno != EACCES) fail(child, FailedStep::working_dir);
  const int listener = apply_filters(plan);
  const pid_t lender = listener >= 0 ? start_lender(plan, listener) : 0;
  send_listener(plan, listener, lender);
  become_user(child);
  // A change of ids clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!is_entered && !enter_working_dir(child)) fail(child, FailedStep::working_dir);
  execute(plan);
}

// Ends as the step did.
[[noreturn]] void end_as(int status) noexcept {
  if (!WIFSIGNALED(status)) ::_exit(WEXITSTATUS(status));
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  const int signal = WTERMSIG(status);
  ::signal(signal, SIG_DFL);
  sigset_t all;
  ::sigemptyset(&all);
  ::sigaddset(&all, signal);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
  ::syscall(SYS_kill, ::syscall(SYS_getpid), signal);
  ::_exit(128 + signal);
}

}  // namespace

void run_keeper(ChrootPlan& plan) noexcept {
  const ChildPlan& child = plan.child;
  // The step may send it what it likes.
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  // Ignored by who started us, children would be reaped by the kernel.
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t of_children;
  ::sigemptyset(&of_children);
  ::sigaddset(&of_children, SIGCHLD);
  const int ended = ::signalfd(-1, &of_children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (ended < 0 || ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail(child, FailedStep::root);

  const auto step = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (step < 0) fail(child, FailedStep::root);
  if (step == 0) run_step(plan);
  const auto low = static_cast<unsigned>(std::min(ended, plan.lifeline));
  const auto high = static_cast<unsigned>(std::max(ended, plan.lifeline));
  close_descriptors(0, low - 1);
  close_descriptors(low + 1, high - 1);
  close_descriptors(high + 1, ~0U);

  for (;;) {
    int status = 0;
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (reaped != step) continue;
      end_descendants();
      end_as(status);
    }
    pollfd events[] = {{ended, POLLIN, 0}, {plan.lifeline, POLLIN, 0}};
    ::poll(events, 2, -1);
    if (events[1].revents != 0) {
      end_descendants();
      ::_exit(127);
    }
    signalfd_siginfo information;
    while (::read(ended, &information, sizeof information) > 0) {}
  }
}

}  // namespace sandbox
