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
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <thread>
#include <utility>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/thread.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

using namespace std::chrono_literals;

// For clean-up. Nobody waits for that of a build whose parent was killed.
constexpr auto grace_when_told = 10s;
constexpr auto grace_when_orphaned = 3s;

void report_reason(const std::exception& error, int error_number, int report) {
  // A short message fits the pipe.
  const std::string reason = std::to_string(error_number) + " " + error.what();
  [[maybe_unused]] const auto written = ::write(report, reason.data(), reason.size());
}

util::Error parse_reason(std::string_view reason) {
  const auto blank = reason.find(' ');
  const auto number = static_cast<int>(util::parse_uint(reason.substr(0, blank)).value_or(0));
  return {std::string(reason.substr(blank + 1)), util::Cause{.code = {number, std::generic_category()}}};
}

// Ends when and as `child` does. `parent` is who started this process.
[[noreturn]] void follow(pid_t child, pid_t parent) {
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  std::optional<std::chrono::steady_clock::time_point> deadline;  // since it was told to end
  for (;;) {
    // Without pidfds (before Linux 5.3, or refused) only a wake-up now and then finds the end.
    pollfd events[] = {{ended.get(), POLLIN, 0}, {deadline ? -1 : Cancellation().fd(), POLLIN, 0}};
    ::poll(events, 2, !ended ? 10 : deadline ? 100 : -1);
    const auto now = std::chrono::steady_clock::now();
    if (!deadline && cancelling_signal() != 0) {
      ::kill(child, cancelling_signal());
      deadline = now + (::getppid() == parent ? grace_when_told : grace_when_orphaned);
    }
    if (deadline && now >= *deadline) ::kill(child, SIGKILL);
    int status = 0;
    const pid_t reaped = ::waitpid(child, &status, WNOHANG);
    if (reaped == child) ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    if (reaped < 0 && errno != EINTR) ::_exit(1);
  }
}

// Ends this process a while after its parent, whatever it does then: the signal that it gets is a request
// only, and process 1 cannot send itself SIGKILL.
void end_after_parent(UniqueFd lifeline) {
  // Never joined, as it ends with the process.
  [[maybe_unused]] static Thread* volatile watcher = nullptr;
  const int fd = lifeline.release();
  watcher = new Thread([fd] {
    pollfd gone{.fd = fd, .events = POLLIN, .revents = 0};
    while (::poll(&gone, 1, -1) <= 0) {}
    std::this_thread::sleep_for(grace_when_orphaned);
    ::_exit(128 + SIGKILL);
  });
}

// What the child, process 1, does first. Returns only if all went well. `lifeline` is a pipe that the parent
// alone has open for writing: no process number tells here whether it lives, and not every sandbox has
// pidfds.
void begin(UniqueFd lifeline, const std::function<void()>& prepare, int report) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // The parent may have died before the line above.
  pollfd gone{.fd = lifeline.get(), .events = POLLIN, .revents = 0};
  if (::poll(&gone, 1, 0) > 0) ::_exit(128 + SIGTERM);
  try {
    cancel_on_signals();  // with a pipe of its own
    Cancellation().check();
    prepare();
    return end_after_parent(std::move(lifeline));
  } catch (const util::Error& error) {
    if (error.is_cancelled()) ::_exit(error.exit_code());
    report_reason(error, error.cause().code.value(), report);
  } catch (const std::exception& error) {
    report_reason(error, 0, report);
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

std::optional<util::Error> enter_process_namespace(const std::function<void()>& prepare) {
  const UniqueFd own_namespace(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
  auto lifeline = make_pipe();
  auto report = make_pipe();
  const pid_t parent = ::getppid();
  std::fflush(nullptr);
  // The libc's clone() wants a stack; unshare() and fork() come to the same, and leave this process where it
  // is.
  if (::unshare(CLONE_NEWPID) != 0) {
    if (errno == EPERM || errno == ENOSYS || errno == EINVAL)
      return util::Error(::geteuid() == 0 ? "this container may not make namespaces" : "it needs root here");
    return unshare_error("a process namespace");
  }
  const pid_t child = ::fork();
  if (child < 0) util::throw_errno("cannot make a process namespace");
  if (child == 0) {
    report.read_end = UniqueFd();
    lifeline.write_end = UniqueFd();
    begin(std::move(lifeline.read_end), prepare, report.write_end.get());
    return std::nullopt;
  }
  report.write_end = UniqueFd();
  const auto reason = read_reason(report.read_end);
  if (reason.empty()) follow(child, parent);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {}
  // Without its process 1 no process can be born in the new namespace.
  // In a user namespace of our own there is no way back.
  auto obstacle = parse_reason(reason);
  if (::setns(own_namespace.get(), CLONE_NEWPID) != 0) throw obstacle;
  return obstacle;
}

}  // namespace sys
