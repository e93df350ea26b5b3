// Kills a piece of a test at a system call of its own: for what must survive a kill at any moment.
#pragma once

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace test {

// In the body of killed_at_call: system calls count from here on.
inline void count_calls_from_here() {
  ::raise(SIGSTOP);
}

// False for what the memory of a process takes: how often differs from run to run, above all under a
// sanitizer, and a kill there is one at the next call.
inline bool counts(std::uint64_t call) {
  switch (call) {
    case SYS_brk:
    case SYS_futex:
    case SYS_madvise:
    case SYS_mmap:
    case SYS_mprotect:
    case SYS_mremap:
    case SYS_munmap:
    case SYS_sched_yield:
      return false;
    default:
      return true;
  }
}

// Whether a stopped child is about to make a call that counts.
inline bool is_at_call(pid_t pid, int status) {
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80)) return false;
  __ptrace_syscall_info info = {};
  return ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 &&
         info.op == PTRACE_SYSCALL_INFO_ENTRY && counts(info.entry.nr);
}

// Runs `body` in a forked child and kills that at its system call number `number`, the first being 1, before
// the kernel carries it out. Calls for memory do not count. False if the child came to its end before that;
// its body must not throw.
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
  for (int calls = 0;;) {
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    ::waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) return true;
    if (is_at_call(pid, status) && ++calls == number) ::kill(pid, SIGKILL);
    if (!WIFEXITED(status)) continue;
    if (WEXITSTATUS(status) != 0) throw std::runtime_error("the body failed");
    return false;
  }
}

}  // namespace test
