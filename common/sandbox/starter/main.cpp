// The program between the engine and a step's program. An executable that names "/proc/self/exe" as its
// interpreter gets the file of whoever executes it: this one, alone on a read-only mount, and not the
// engine's.
//
// Called as: starter COUNT CANDIDATE... ARGUMENT...
// Executes the first of COUNT candidates that there is, with the arguments; what it cannot, it reports as a
// Failure on the descriptor `failure_fd`.
//
// It has no C library: to set one up would take ten times as long as all else that happens here.
#include <fcntl.h>

#include <cerrno>

#include "common/sandbox/bare_calls.hpp"
#include "common/sandbox/failure.hpp"

namespace {

using sandbox::bare_call;
using sandbox::to_long;

// 0 for what is no number.
long parse(const char* text) {
  long value = 0;
  for (; *text >= '0' && *text <= '9' && value < 1'000'000; ++text)
    value = 10 * value + (*text - '0');
  return *text == '\0' ? value : 0;
}

void execute(long argc, char** argv, char** environment) {
  const long count = argc > 1 ? parse(argv[1]) : 0;
  // Nobody but the engine can mean this program.
  if (count < 1 || count > argc - 2) return;
  if (bare_call(SYS_fcntl, sandbox::failure_fd, F_SETFD, FD_CLOEXEC) != 0) return;
  char** const arguments = argv + 2 + count;
  long found_but_refused = 0;
  for (char** candidate = argv + 2; candidate < arguments; ++candidate) {
    const long error = -bare_call(SYS_execve, to_long(*candidate), to_long(arguments), to_long(environment));
    if (error != ENOENT && error != ENOTDIR) found_but_refused = error;
  }
  const sandbox::Failure failure{
      .step = sandbox::Failure::Step::exec,
      .index = -1,
      .error = static_cast<int>(found_but_refused != 0 ? found_but_refused : ENOENT)};
  bare_call(SYS_write, sandbox::failure_fd, to_long(&failure), sizeof failure);
}

}  // namespace

// `stack` is what the kernel leaves: the number of arguments, they and a null pointer, the environment.
extern "C" [[noreturn, gnu::used]] void start(long* stack) {
  const long argc = *stack;
  char** const argv = reinterpret_cast<char**>(stack + 1);
  execute(argc, argv, argv + argc + 1);
  for (;;)
    bare_call(SYS_exit_group, 127, 0, 0);
}

#if defined(__x86_64__)
asm(".globl _start\n"
    "_start: xor %ebp, %ebp\n"
    "mov %rsp, %rdi\n"
    "and $-16, %rsp\n"
    "call start\n");
#else
asm(".globl _start\n"
    "_start: mov x29, xzr\n"
    "mov x0, sp\n"
    "bl start\n");
#endif
