// Process namespaces.
#include "common/sys/process_namespace.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "common/sys/fd.hpp"
#include "common/sys/stop.hpp"
#include "common/util/error.hpp"

namespace sys {
namespace {

// Ends when and as `child` does.
[[noreturn]] void follow(pid_t child) {
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  for (bool told = false;;) {
    // Without pidfds (before Linux 5.3, or refused) only a wake-up now and then finds the end.
    pollfd events[] = {{ended.get(), POLLIN, 0}, {told ? -1 : stop::fd(), POLLIN, 0}};
    ::poll(events, 2, ended ? -1 : 10);
    if (!told && stop::requested() != 0) {
      ::kill(child, stop::requested());
      told = true;
    }
    int status = 0;
    const pid_t reaped = ::waitpid(child, &status, WNOHANG);
    if (reaped == child) ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    if (reaped < 0 && errno != EINTR) ::_exit(1);
  }
}

}  // namespace

bool enter_process_namespace() {
  const pid_t parent = ::getpid();
  std::fflush(nullptr);
  // The libc's clone() wants a stack; unshare() and fork() come to the same, and leave this process where it
  // is.
  if (::unshare(CLONE_NEWPID) != 0) {
    if (errno == EPERM || errno == ENOSYS || errno == EINVAL) return false;
    util::throw_errno("cannot make a process namespace");
  }
  const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, parent, 0)));
  const pid_t child = ::fork();
  if (child < 0) util::throw_errno("cannot make a process namespace");
  if (child > 0) follow(child);

  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // Its parent is out of sight here, and may have died before the line above.
  pollfd gone{.fd = self.get(), .events = POLLIN, .revents = 0};
  if (self && ::poll(&gone, 1, 0) > 0) ::_exit(128 + SIGTERM);
  stop::install();  // with a pipe of its own
  stop::check();
  return true;
}

}  // namespace sys
