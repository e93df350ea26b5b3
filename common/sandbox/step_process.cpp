// Supervision of a step.
#include "common/sandbox/step_process.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <span>

#include "common/util/error.hpp"

namespace sandbox {
namespace {

using Buffer = std::array<char, 65536>;

// Hands on what there is to read; false at the end.
bool pass_on(int fd, Buffer& buffer, const Output& output) {
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count > 0) output({buffer.data(), static_cast<std::size_t>(count)});
  if (count < 0 && errno != EAGAIN && errno != EINTR) util::throw_errno("cannot read the step's output");
  return count != 0;
}

}  // namespace

StepProcess::StepProcess(unsigned long flags, ChildPlan& plan) {
  start(flags | CLONE_NEWPID, [&] { run_child(plan); });
}

StepProcess::StepProcess(const std::function<void()>& child, sys::UniqueFd lifeline)
    : lifeline_(std::move(lifeline)) {
  start(0, child);
}

void StepProcess::start(unsigned long flags, const std::function<void()>& child) {
  int pidfd = -1;
  flags |= CLONE_PIDFD | SIGCHLD;
  // The bare call gives a copy of this thread alone, already process 1 of a new namespace: no second fork,
  // nobody in between.
  pid_ = static_cast<pid_t>(::syscall(SYS_clone, flags, 0, &pidfd, 0, 0));
  if (pid_ < 0) util::throw_errno("cannot make namespaces for the step");
  if (pid_ == 0) child();
  ended_ = sys::UniqueFd(pidfd);
}

StepProcess::~StepProcess() {
  if (pid_ < 0) return;
  if (lifeline_) {
    lifeline_ = sys::UniqueFd();
  } else {
    ::kill(pid_, SIGKILL);
  }
  reap();
}

sys::ExitStatus StepProcess::supervise(sys::UniqueFd output_fd, const Output& output,
                                       const sys::Cancellation& cancel) {
  if (::fcntl(output_fd.get(), F_SETFL, O_NONBLOCK) != 0) util::throw_errno("cannot read the step's output");
  Buffer buffer;
  for (;;) {
    pollfd events[] = {{output_fd.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}};
    cancel.wait(events);
    if (events[0].revents != 0) {
      if (!pass_on(output_fd.get(), buffer, output)) output_fd = sys::UniqueFd();  // it may run on without
    } else if (events[1].revents != 0) {
      return wait();  // with nothing left to read
    }
  }
}

sys::ExitStatus StepProcess::wait() {
  const int status = reap();
  if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

int StepProcess::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = -1;
  return status;
}

}  // namespace sandbox
