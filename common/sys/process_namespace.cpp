// Process namespaces.
#include "common/sys/process_namespace.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/util/error.hpp"

namespace sys {
namespace {

void report_reason(const std::exception& error, int report) {
  // A short message fits the pipe.
  const std::string reason = error.what();
  [[maybe_unused]] const auto written = ::write(report, reason.data(), reason.size());
}

// Ends when and as `child` does.
[[noreturn]] void follow(pid_t child) {
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  for (bool told = false;;) {
    // Without pidfds (before Linux 5.3, or refused) only a wake-up now and then finds the end.
    pollfd events[] = {{ended.get(), POLLIN, 0}, {told ? -1 : Cancellation().fd(), POLLIN, 0}};
    ::poll(events, 2, ended ? -1 : 10);
    if (!told && cancelling_signal() != 0) {
      ::kill(child, cancelling_signal());
      told = true;
    }
    int status = 0;
    const pid_t reaped = ::waitpid(child, &status, WNOHANG);
    if (reaped == child) ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    if (reaped < 0 && errno != EINTR) ::_exit(1);
  }
}

// What the child, process 1, does first. Returns only if all went well. `lifeline` is a pipe that the parent
// alone has open for writing: no process number tells here whether it lives, and not every sandbox has
// pidfds.
void begin(const UniqueFd& lifeline, const std::function<void()>& prepare, int report) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // The parent may have died before the line above.
  pollfd gone{.fd = lifeline.get(), .events = POLLIN, .revents = 0};
  if (::poll(&gone, 1, 0) > 0) ::_exit(128 + SIGTERM);
  try {
    cancel_on_signals();  // with a pipe of its own
    Cancellation().check();
    return prepare();
  } catch (const util::Error& error) {
    if (error.is_cancelled()) ::_exit(error.exit_code());
    report_reason(error, report);
  } catch (const std::exception& error) {
    report_reason(error, report);
  }
  ::_exit(1);
}

// The reason that the child gives, nothing if it goes on or was stopped.
std::string read_reason(const UniqueFd& report) {
  std::string reason;
  char buffer[4096];
  for (;;) {
    // Not read_some(): whether a stop is requested is the child's to act on, while we live.
    const ssize_t count = ::read(report.get(), buffer, sizeof buffer);
    if (count > 0) reason.append(buffer, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return reason;
  }
}

}  // namespace

std::optional<std::string> enter_process_namespace(const std::function<void()>& prepare) {
  const UniqueFd own_namespace(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
  auto lifeline = make_pipe();
  auto report = make_pipe();
  std::fflush(nullptr);
  // The libc's clone() wants a stack; unshare() and fork() come to the same, and leave this process where it
  // is.
  if (::unshare(CLONE_NEWPID) != 0) {
    if (errno == EPERM || errno == ENOSYS || errno == EINVAL)
      return ::geteuid() == 0 ? "this container may not make namespaces" : "it needs root here";
    util::throw_errno("cannot make a process namespace");
  }
  const pid_t child = ::fork();
  if (child < 0) util::throw_errno("cannot make a process namespace");
  if (child == 0) {
    report.read_end = UniqueFd();
    lifeline.write_end = UniqueFd();
    begin(lifeline.read_end, prepare, report.write_end.get());
    return std::nullopt;
  }
  report.write_end = UniqueFd();
  const auto reason = read_reason(report.read_end);
  if (reason.empty()) follow(child);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {}
  // Without its process 1 no process can be born in the new namespace.
  if (::setns(own_namespace.get(), CLONE_NEWPID) != 0) util::throw_errno("cannot leave a process namespace");
  return reason;
}

}  // namespace sys
