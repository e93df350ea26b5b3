// Runs a piece of a test in a forked child: for what changes the whole process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

namespace test {

// The exit code of a child that runs `body` and exits with what it returns; 99 if it throws, 128 + n if
// signal n killed it: SIGALRM after two minutes. To be called without other threads, whose locks the child
// would keep.
template <typename Body>
int in_child(Body&& body) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(120);
    try {
      ::_exit(body());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in_child: %s\n", error.what());
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace test
