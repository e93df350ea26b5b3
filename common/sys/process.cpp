// Child processes over Boost.Process, which does the fork, the exec and the report of a failed exec.
#include "common/sys/process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <cassert>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "common/sys/fd.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/stop_signals.hpp"
#include "common/sys/thread.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

namespace process = boost::process;
using namespace std::chrono_literals;

// What the child does between fork and exec. Only async-signal-safe calls: another thread may hold the heap's
// lock.
class Setup : public process::extend::handler {
public:
  // `argv` and `environment` are what the child gets: Boost's own arguments cannot hold an empty one, and its
  // environment reads past the end of the variables it compares.
  Setup(const Command& command, char** argv, char** environment, int null_fd, pid_t parent)
      : argv_(argv),
        environment_(environment),
        stdio_{command.stdin_fd >= 0 ? command.stdin_fd : null_fd, command.stdout_fd, command.stderr_fd},
        kept_fds_(command.kept_fds),
        death_signal_(command.death_signal),
        umask_(command.umask),
        parent_(parent) {}

  template <typename Executor>
  void on_setup(Executor& executor) const {
    executor.cmd_line = argv_;
    executor.env = environment_;
  }

  template <typename Executor>
  void on_exec_setup(Executor& executor) const {
    if (!set_up()) executor.set_error(process::detail::get_last_error(), "dup2");
    // Everything else closes at exec, also what some library opened without O_CLOEXEC. Old sandboxes refuse
    // the call; then O_CLOEXEC, which all our own descriptors have, must do.
    ::syscall(SYS_close_range, 3U, ~0U, static_cast<unsigned>(CLOSE_RANGE_CLOEXEC));
    for (const int fd : kept_fds_)
      ::fcntl(fd, F_SETFD, 0);
  }

  // The whole life of a child that executes nothing. Nothing is destroyed in it: what the objects of the
  // parent stand for is the parent's.
  [[noreturn]] void call(Entry entry) const noexcept {
    if (!set_up()) ::_exit(127);
    ::closefrom(3);  // also where close_range is refused
    environ = environment_;
    int argc = 0;
    while (argv_[argc] != nullptr)
      ++argc;
    ::prctl(PR_SET_NAME, argv_[0]);
    const int code = entry(argc, argv_);
    std::fflush(stdout);
    ::_exit(code);
  }

private:
  // False with errno set if a descriptor cannot be put in its place.
  bool set_up() const {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD})
      ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int target = 0; target <= 2; ++target) {
      // dup2 clears FD_CLOEXEC, but not when both numbers are the same.
      if (stdio_[target] == target) {
        ::fcntl(target, F_SETFD, 0);
      } else if (stdio_[target] >= 0 && ::dup2(stdio_[target], target) < 0) {
        return false;
      }
    }
    if (umask_) ::umask(*umask_);
    ::prctl(PR_SET_PDEATHSIG, death_signal_);
    if (::getppid() != parent_) ::_exit(127);  // the parent died before prctl
    return true;
  }

  char** argv_;
  char** environment_;
  int stdio_[3];
  std::vector<int> kept_fds_;
  int death_signal_;
  std::optional<mode_t> umask_;
  pid_t parent_;
};

ExitStatus decode(int status) {
  if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

// What execve wants; valid as long as `strings` does not change.
std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& text : strings)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> last_of_each_name(const std::vector<std::string>& variables) {
  std::map<std::string, std::string> by_name;
  for (const auto& variable : variables)
    by_name.insert_or_assign(variable.substr(0, variable.find('=')), variable);
  std::vector<std::string> result;
  for (auto& [name, variable] : by_name)
    result.push_back(std::move(variable));
  return result;
}

// The kernel would see what stands before a NUL byte, and whoever checked the string saw all of it.
void refuse_nul_bytes(const Command& command) {
  const auto holds_one = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  for (const auto& argument : command.argv) {
    if (holds_one(argument))
      throw util::Error("cannot run " + util::quote(command.argv.front()) + ": the argument " +
                        util::quote(argument) + " holds a NUL byte");
  }
  if (!command.environment) return;
  for (const auto& variable : *command.environment) {
    if (holds_one(variable))  // its value may be a secret
      throw util::Error("cannot run " + util::quote(command.argv.front()) + ": the variable " +
                        util::quote(variable.substr(0, variable.find('='))) + " holds a NUL byte");
  }
}

std::filesystem::path resolve(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const auto found = find_program(name);
  if (!found) throw util::Error("cannot run " + util::quote(name) + ": not found on PATH");
  return *found;
}

[[noreturn]] void throw_silent(const std::string& program, std::chrono::milliseconds patience) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(patience).count();
  throw util::Error(util::quote(program) + " has not ended within " + std::to_string(seconds) +
                    (seconds == 1 ? " second" : " seconds"));
}

}  // namespace

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strchr(*variable, '=') != nullptr) variables.emplace_back(*variable);
  }
  return variables;
}

std::string ExitStatus::describe() const {
  if (signal == 0) return "exited with " + std::to_string(code);
  const char* name = ::sigabbrev_np(signal);
  return "was killed by " +
         (name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal));
}

Child::Child(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::exchange(other.pidfd_, -1)),
      ended_(std::move(other.ended_)) {}

Child::~Child() {
  if (pid_ > 0 && !ended_) {
    send(SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
  }
  if (pidfd_ >= 0) ::close(pidfd_);
}

void Child::send(int signal) noexcept {
  if (!ended_) ::kill(pid_, signal);  // not reaped yet, so the pid is still ours
}

std::optional<ExitStatus> Child::poll_end(std::chrono::milliseconds limit, const Cancellation* cancel) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!ended_) {
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped < 0 && errno != EINTR) util::throw_errno("cannot wait for a child process");
    if (reaped == pid_) {
      ended_ = decode(status);
      break;
    }
    if (cancel != nullptr) cancel->check();
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= 0ms) return std::nullopt;
    // Sandboxes of old workers have no pidfd_open: look again every few milliseconds there.
    const auto nap = pidfd_ >= 0 ? std::min<std::chrono::milliseconds>(left, 1h) : std::min(left, 5ms);
    pollfd ended{pidfd_, POLLIN, 0};
    if (cancel != nullptr) {
      cancel->wait({&ended, 1}, nap);
    } else {
      ::poll(&ended, 1, static_cast<int>(nap.count()));
    }
  }
  return ended_;
}

std::optional<ExitStatus> Child::wait_for(std::chrono::milliseconds limit, const Cancellation& cancel) {
  try {
    return poll_end(limit, &cancel);
  } catch (const util::Error&) {
    terminate();
    throw;
  }
}

ExitStatus Child::wait(const Cancellation& cancel) {
  for (;;) {
    if (const auto status = wait_for(24h, cancel)) return *status;
  }
}

ExitStatus Child::terminate(std::chrono::milliseconds grace) {
  send(SIGTERM);
  return finish(grace);
}

ExitStatus Child::finish(std::chrono::milliseconds limit) {
  if (const auto status = poll_end(limit, nullptr)) return *status;
  send(SIGKILL);
  for (;;) {
    if (const auto status = poll_end(24h, nullptr)) return *status;
  }
}

Child start(const Command& command) {
  refuse_nul_bytes(command);
  const UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_fd) util::throw_errno("cannot open '/dev/null'");
  auto arguments = command.argv;
  auto argv = pointers(arguments);
  auto variables = last_of_each_name(command.environment ? *command.environment : own_environment());
  auto environment = pointers(variables);
  const Setup setup(command, argv.data(), environment.data(), null_fd.get(), ::getpid());
  // A child that still had our handlers would tell us of a signal that was its own.
  const StopSignalsBlocked until_it_has_none;
  if (command.entry != nullptr) {
    assert(command.kept_fds.empty() && Thread::running() == 0);
    std::fflush(stdout);  // what is not written yet, the child would write again
    const pid_t pid = ::fork();
    if (pid < 0) util::throw_errno("cannot start " + util::quote(command.argv.front()));
    if (pid == 0) setup.call(command.entry);
    return Child(pid);
  }
  const auto program = resolve(command.argv.front());
  try {
    process::child child(process::exe = program.string(), setup);
    const pid_t pid = child.id();
    child.detach();  // Child reaps it: Boost's exit_code() cannot tell a signal from an exit code
    return Child(pid);
  } catch (const process::process_error& error) {
    throw util::Error("cannot run " + util::quote(program.string()) + ": " + error.code().message());
  }
}

Captured run_captured(Command command, std::string_view input, std::size_t limit, const Cancellation& cancel,
                      std::optional<std::chrono::milliseconds> patience) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto left = [&]() -> std::optional<std::chrono::milliseconds> {
    if (!patience) return std::nullopt;
    const auto passed = std::chrono::floor<std::chrono::milliseconds>(Clock::now() - begin);
    return std::max(*patience - passed, std::chrono::milliseconds(0));
  };
  auto in = make_pipe();
  auto out = make_pipe();
  command.stdin_fd = in.read_end.get();
  command.stdout_fd = out.write_end.get();
  Child child = start(command);
  in.read_end = UniqueFd();
  out.write_end = UniqueFd();
  ::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);

  std::string output;
  util::Buffer buffer(65536);
  for (bool open = true; open;) {
    if (input.empty()) in.write_end = UniqueFd();
    pollfd events[] = {{out.read_end.get(), POLLIN, 0}, {in.write_end.get(), POLLOUT, 0}};
    try {
      cancel.wait(events, left());
      if (left() == std::chrono::milliseconds(0)) throw_silent(command.argv.front(), *patience);
    } catch (const util::Error&) {
      child.terminate();
      throw;
    }
    if (events[1].revents != 0) {
      const ssize_t count = ::write(in.write_end.get(), input.data(), input.size());
      // A child that does not read its input says why by its exit code.
      if (count < 0 && errno == EPIPE) input = {};
      if (count > 0) input.remove_prefix(static_cast<std::size_t>(count));
    }
    if ((events[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const std::size_t count =
          read_some(out.read_end.get(), buffer, "the output of " + command.argv.front());
      open = count > 0;
      if (output.size() + count > limit)
        throw util::Error(util::quote(command.argv.front()) + " printed too much");
      output.append(reinterpret_cast<const char*>(buffer.data()), count);
    }
  }
  if (!patience) return {child.wait(cancel), std::move(output)};
  const auto status = child.wait_for(*left(), cancel);
  if (!status) {
    child.terminate();
    throw_silent(command.argv.front(), *patience);
  }
  return {*status, std::move(output)};
}

// Boost's search_path would link every program to Boost.Filesystem.
std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const auto& directory : util::split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
    const auto program = std::filesystem::path(directory) / name;
    struct stat status {};
    if (::access(program.c_str(), X_OK) == 0 && ::stat(program.c_str(), &status) == 0 &&
        S_ISREG(status.st_mode))
      return program;
  }
  return std::nullopt;
}

std::optional<std::filesystem::path> find_sibling(const std::string& name) {
  const std::filesystem::path self = "/proc/self/exe";
  if (is_there(self)) {
    auto sibling = link_target(self).parent_path() / name;
    if (::access(sibling.c_str(), X_OK) == 0) return sibling;
  }
  return find_program(name);
}

}  // namespace sys
