// Child processes: what they get, how they end, that none outlives us.
#include "common/sys/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"

namespace {

using namespace std::chrono_literals;
using test::in_child;

sys::Command shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}};
}

std::string output_of(const sys::Command& command, std::string_view input = "") {
  const auto captured = sys::run_captured(command, input);
  EXPECT_TRUE(captured.status.success()) << captured.status.describe();
  return captured.output;
}

TEST(Process, EndsWithItsExitCode) {
  const auto status = sys::start(shell("exit 3")).wait();
  EXPECT_EQ(status.as_exit_code(), 3);
  EXPECT_EQ(status.describe(), "exited with 3");
}

TEST(Process, EndsBySignalAs128Plus) {
  const auto status = sys::start(shell("kill -KILL $$")).wait();
  EXPECT_FALSE(status.success());
  EXPECT_EQ(status.as_exit_code(), 128 + SIGKILL);
  EXPECT_EQ(status.describe(), "was killed by SIGKILL");
}

TEST(Process, GetsItsArgumentsAsTheyAre) {
  EXPECT_EQ(output_of({.argv = {"printf", "%s|", "a b", "", "$HOME", "*", "\"q\"", "\n"}}),
            "a b||$HOME|*|\"q\"|\n|");
}

TEST(Process, IsNotStartedWithWhatANulByteCutsShort) {
  sys::Command command = shell("exit 3");
  command.argv.emplace_back("a\0b", 3);
  EXPECT_THROW(sys::start(command), util::Error);
  command = shell("exit 3");
  command.environment = {{"PATH=/bin", std::string("A=b\0c", 5)}};
  EXPECT_THROW(sys::start(command), util::Error);
}

TEST(Process, GetsTheEnvironmentGivenAndNothingElse) {
  sys::Command command = {.argv = {"/usr/bin/env"}};
  command.environment = {"A=1=2", "EMPTY="};
  const auto output = output_of(command);
  EXPECT_NE(output.find("A=1=2\n"), std::string::npos);
  EXPECT_NE(output.find("EMPTY=\n"), std::string::npos);
  EXPECT_EQ(output.find("HOME="), std::string::npos);
}

TEST(Process, GetsTheLastOfTwoVariablesOfOneName) {
  sys::Command command = {.argv = {"/usr/bin/env"}};
  command.environment = {"A=1", "B=x", "A=2"};
  EXPECT_EQ(output_of(command), "A=2\nB=x\n");
}

TEST(Process, GetsOurEnvironmentByDefault) {
  ::setenv("PROCESS_TEST", "seen", 1);
  EXPECT_EQ(output_of(shell("printf %s \"$PROCESS_TEST\"")), "seen");
  ::unsetenv("PROCESS_TEST");
}

TEST(Process, ReadsNothingFromOurStdin) {
  EXPECT_EQ(sys::start(shell("test -z \"$(cat)\"")).wait().as_exit_code(), 0);
}

TEST(Process, TakesInputAndGivesOutputLargerThanAPipe) {
  const std::string text(3 << 20, 'x');
  EXPECT_EQ(output_of({.argv = {"cat"}}, text).size(), text.size());
}

TEST(Process, ThatDoesNotReadItsInputIsNoError) {
  // It stands alone: writing to it would otherwise end the whole test by SIGPIPE.
  EXPECT_EQ(in_child([] {
              ::signal(SIGPIPE, SIG_IGN);
              const auto captured = sys::run_captured(shell("exit 7"), std::string(1 << 20, 'x'));
              return captured.status.as_exit_code();
            }),
            7);
}

TEST(Process, ThatPrintsTooMuchIsAnError) {
  EXPECT_THROW(sys::run_captured(shell("head -c 1000 /dev/zero"), "", 999), util::Error);
}

TEST(Process, InheritsNoDescriptorButThoseKept) {
  const sys::UniqueFd leaked(::open("/dev/null", O_RDONLY));  // as a library might: without O_CLOEXEC
  const auto kept = sys::make_memory_file("kept", "text");
  auto command = shell("cat /proc/self/fd/" + std::to_string(kept.get()) + "; test ! -e /proc/self/fd/" +
                       std::to_string(leaked.get()));
  command.kept_fds = {kept.get()};
  EXPECT_EQ(output_of(command), "kept");
}

TEST(Process, StartsWithDefaultSignalHandling) {
  EXPECT_EQ(in_child([] {
              ::signal(SIGTERM, SIG_IGN);
              ::signal(SIGPIPE, SIG_IGN);
              return sys::start(shell("kill -TERM $$; exit 0")).wait().as_exit_code();
            }),
            128 + SIGTERM);
}

TEST(Process, ThatIsMissingIsNamed) {
  try {
    sys::start({.argv = {"no-such-program"}});
    FAIL() << "nothing was thrown";
  } catch (const util::Error& error) {
    EXPECT_STREQ(error.what(), "cannot run 'no-such-program': not found on PATH");
  }
}

TEST(Process, ThatCannotBeExecutedIsNamedWithTheReason) {
  try {
    sys::start({.argv = {"/etc/passwd"}});
    FAIL() << "nothing was thrown";
  } catch (const util::Error& error) {
    EXPECT_STREQ(error.what(), "cannot run '/etc/passwd': Permission denied");
  }
}

TEST(Process, IsWaitedForNoLongerThanTheLimit) {
  auto child = sys::start(shell("exec sleep 60"));
  EXPECT_FALSE(child.wait_for(1ms));
  EXPECT_EQ(child.terminate().signal, SIGTERM);
}

TEST(Process, ThatIgnoresTerminationIsKilledAfterTheGrace) {
  auto ready = sys::make_pipe();
  auto command = shell("trap '' TERM; echo ready; exec sleep 60");
  command.stdout_fd = ready.write_end.get();
  auto child = sys::start(command);
  std::array<std::byte, 8> buffer;
  sys::read_some(ready.read_end.get(), buffer, "the child");
  EXPECT_EQ(child.terminate(10ms).signal, SIGKILL);
}

TEST(Process, IsKilledWithItsOwner) {
  pid_t pid = -1;
  {
    const auto child = sys::start(shell("exec sleep 60"));
    pid = child.pid();
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Process, GetsItsDeathSignalWhenWeDie) {
  auto alive = sys::make_pipe();
  EXPECT_EQ(in_child([&] {
              auto command = shell("exec sleep 60");
              command.stdout_fd = alive.write_end.get();
              auto child = sys::start(command);
              ::kill(::getpid(), SIGKILL);  // no destructor runs
              return 0;
            }),
            128 + SIGKILL);
  alive.write_end = sys::UniqueFd();
  // The end of the pipe: the child, the last one to hold it, is gone.
  std::array<std::byte, 1> buffer;
  EXPECT_EQ(sys::read_some(alive.read_end.get(), buffer, "the child"), 0U);
}

// As Process, but what is called instead of a program.

int upper(int argc, char** argv) {
  for (int letter = std::getchar(); letter != EOF; letter = std::getchar())
    std::putchar(letter - 'a' + 'A');
  for (int i = 0; i < argc; ++i)
    std::printf("|%s", argv[i]);
  return argc;
}

int show_process(int, char**) {
  char name[17] = {};
  ::prctl(PR_GET_NAME, name);
  int open = 0;
  for (int fd = 0; fd < 1000; ++fd)
    open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  const char* variable = std::getenv("A");
  struct sigaction action = {};
  ::sigaction(SIGTERM, nullptr, &action);
  std::printf("%s %d %s %s", name, open, variable != nullptr ? variable : "-",
              action.sa_handler == SIG_DFL ? "default" : "other");
  return 0;
}

int end_by_sigterm(int, char**) {
  ::raise(SIGTERM);
  return 0;
}

int wait_for_ever(int, char**) {
  std::printf("ready");
  std::fflush(stdout);
  for (;;)
    ::pause();
}

TEST(EntryProcess, GetsArgumentsAndInputAndGivesOutputAndExitCode) {
  const std::string text(200'000, 'x');
  const auto captured = sys::run_captured({.argv = {"upper", "a b", ""}, .entry = upper}, text);
  EXPECT_EQ(captured.status.as_exit_code(), 3);
  EXPECT_EQ(captured.output, std::string(text.size(), 'X') + "|upper|a b|");
}

TEST(EntryProcess, HasItsNameItsEnvironmentNoDescriptorsOfOursAndNoHandlers) {
  EXPECT_EQ(in_child([] {
              const sys::UniqueFd ours(::open("/dev/null", O_RDONLY));
              sys::cancel_on_signals();
              const auto shown = sys::run_captured(
                  {.argv = {"show"}, .entry = show_process, .environment = {{"A=1", "A=2"}}}, "");
              return shown.output == "show 3 2 default" ? 0 : (std::puts(shown.output.c_str()), 1);
            }),
            0);
}

TEST(EntryProcess, PrintsNothingThatWePrinted) {
  EXPECT_EQ(in_child([] {
              const sys::UniqueFd file(::open("/dev/null", O_WRONLY));
              ::dup2(file.get(), 1);
              std::printf("ours");
              return sys::run_captured({.argv = {"upper"}, .entry = upper}, "x").output == "X|upper" ? 0 : 1;
            }),
            0);
}

TEST(EntryProcess, ThatGetsASignalDoesNotCancelUs) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
              const auto ended = sys::run_captured({.argv = {"ends"}, .entry = end_by_sigterm}, "");
              sys::Cancellation().check();
              pollfd pipe = {sys::Cancellation().fd(), POLLIN, 0};
              return ended.status.signal == SIGTERM && ::poll(&pipe, 1, 0) == 0 ? 0 : 1;
            }),
            0);
}

TEST(EntryProcess, GetsItsDeathSignalWhenWeDie) {
  auto out = sys::make_pipe();
  EXPECT_EQ(in_child([&] {
              const auto child =
                  sys::start({.argv = {"waits"}, .entry = wait_for_ever, .stdout_fd = out.write_end.get()});
              std::array<std::byte, 5> ready;
              sys::read_some(out.read_end.get(), ready, "the child");
              ::kill(::getpid(), SIGKILL);
              return 0;
            }),
            128 + SIGKILL);
  out.write_end = sys::UniqueFd();
  std::array<std::byte, 1> buffer;
  EXPECT_EQ(sys::read_some(out.read_end.get(), buffer, "the child"), 0U);
}

TEST(FindProgram, FindsNothingForANameThatIsNowhere) {
  EXPECT_TRUE(sys::find_program("sh"));
  EXPECT_FALSE(sys::find_program("no-such-program"));
}

TEST(FindSibling, PrefersTheProgramBesideOurs) {
  EXPECT_EQ(sys::find_sibling("unit-sys"), std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_EQ(sys::find_sibling("sh"), *sys::find_program("sh"));
  EXPECT_FALSE(sys::find_sibling("no-such-program"));
}

}  // namespace
