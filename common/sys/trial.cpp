// A forked copy that reports by pipe.
#include "common/sys/trial.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/process.hpp"
#include "common/util/error.hpp"

namespace sys {
namespace {

// Never returns: what the parent would do on its way out must happen once.
[[noreturn]] void try_and_exit(const std::function<void()>& action, int report) {
  try {
    action();
    ::_exit(0);
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    // A short message fits the pipe; where even that fails the exit code says enough.
    [[maybe_unused]] const auto written = ::write(report, reason.data(), reason.size());
  }
  ::_exit(1);
}

}  // namespace

std::optional<std::string> why_not(const std::function<void()>& action) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) util::throw_errno("cannot make a pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) util::throw_errno("cannot start a process");
  if (pid == 0) try_and_exit(action, writer.get());
  writer = UniqueFd();
  const auto reason = read_to_end(reader.get(), "what came of a trial");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) util::throw_errno("cannot wait for a process");
  }
  if (WIFSIGNALED(status)) return "a trial " + ExitStatus{.signal = WTERMSIG(status)}.describe();
  if (WEXITSTATUS(status) == 0) return std::nullopt;
  return reason.empty() ? "a trial failed" : reason;
}

}  // namespace sys
