// Kills a piece of a test at a system call of its own: for what must survive a kill at any moment.
#pragma once

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace test {

// In the body of killed_at_call: system calls count from here on.
inline void count_calls_from_here() {
  ::raise(SIGSTOP);
}

// Runs `body` in a forked child and kills that at its system call number `number`, the first being 1, before
// the kernel carries it out. False if the child came to its end before that; its body must not throw.
template <typename Body>
bool killed_at_call(int number, Body&& body) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    try {
      body();
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "killed_at_call: %s\n", error.what());
    }
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!WIFSTOPPED(status)) throw std::runtime_error("the body never counted its calls");
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
  // The stops alternate: before a call, after it.
  for (long long stops = 0;; ++stops) {
    if (stops == 2LL * number - 1) ::kill(pid, SIGKILL);
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    ::waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) return true;
    if (!WIFEXITED(status)) continue;
    if (WEXITSTATUS(status) != 0) throw std::runtime_error("the body failed");
    return false;
  }
}

}  // namespace test
