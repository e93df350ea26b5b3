// Child processes that cannot outlive us or leak descriptors.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/cancellation.hpp"

namespace sys {

// Our environment, "NAME=value" each.
std::vector<std::string> own_environment();

// What is called as a program's main() is, and returns the exit code.
using Entry = int (*)(int argc, char** argv);

struct Command {
  std::vector<std::string> argv;  // argv[0] without a slash is looked up on our PATH
  // Not null: the child executes no program but calls this with argv, of which argv[0] is its name only. It
  // has the memory of this process, which may have one thread only; all else is as for a program. Loading one
  // takes longer than the work of a small one.
  Entry entry = nullptr;
  std::optional<std::vector<std::string>> environment =
      std::nullopt;                            // "NAME=value" each, the last of a name counts; nothing = ours
  int stdin_fd = -1;                           // -1 = /dev/null
  int stdout_fd = -1;                          // -1 = ours
  int stderr_fd = -1;                          // -1 = ours
  std::vector<int> kept_fds = {};              // further descriptors the child gets, under the same numbers
  int death_signal = 15;                       // what it gets when we die: SIGTERM, so that it can clean up
  std::optional<mode_t> umask = std::nullopt;  // nothing = ours
};

// How a child ended.
struct ExitStatus {
  int code = 0;    // its exit code; meaningless if `signal` is not 0
  int signal = 0;  // the signal that killed it, 0 = it exited by itself

  bool success() const noexcept { return code == 0 && signal == 0; }
  // What a tool that ends because of this child ends with: the code, or 128 + signal.
  int as_exit_code() const noexcept { return signal != 0 ? 128 + signal : code; }
  // "exited with 3", "was killed by SIGKILL"
  std::string describe() const;
};

// A running child. It is started with default signal dispositions and gets Command::death_signal when the
// thread that started it ends (PR_SET_PDEATHSIG), so start children from threads that live as long as they
// should.
class Child {
public:
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  // Kills (SIGKILL) and reaps it if it still runs.
  ~Child();

  pid_t pid() const noexcept { return pid_; }

  // Waits for the end. When it is cancelled meanwhile, the child is terminate()d and Error leaves.
  ExitStatus wait(const Cancellation& cancel = {});

  // Waits at most `limit`; nothing if it still runs then. Throws like wait().
  std::optional<ExitStatus> wait_for(std::chrono::milliseconds limit, const Cancellation& cancel = {});

  // SIGTERM, then after `grace` SIGKILL; returns once it is reaped. Not cut short by signals.
  ExitStatus terminate(std::chrono::milliseconds grace = std::chrono::seconds(10));

  // Waits for the end and kills what still runs after `limit`. Not cut short by signals: for clean-up.
  ExitStatus finish(std::chrono::milliseconds limit);

  // Sends a signal; a child that has ended is no error.
  void send(int signal) noexcept;

private:
  friend Child start(const Command& command);
  explicit Child(pid_t pid);
  std::optional<ExitStatus> poll_end(std::chrono::milliseconds limit, const Cancellation* cancel);

  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<ExitStatus> ended_;
};

// Throws Error naming the program if it cannot be started (not found, not executable).
Child start(const Command& command);

struct Captured {
  ExitStatus status;
  std::string output;
};

// Runs `command` to its end with `input` on stdin and stdout captured (at most `limit` bytes, else Error).
// stdin_fd and stdout_fd of the command are ignored. When it is cancelled, the child is terminated and Error
// leaves. So it is after `patience`, for a program that may never end.
Captured run_captured(Command command, std::string_view input, std::size_t limit = 64 << 20,
                      const Cancellation& cancel = {},
                      std::optional<std::chrono::milliseconds> patience = {});

// The file that `name` means: looked up beside our own executable, then on PATH; nothing if it is in neither.
std::optional<std::filesystem::path> find_sibling(const std::string& name);

// The file that `name` means on PATH, nothing if there is none.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace sys
