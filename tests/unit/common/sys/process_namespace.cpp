#include "common/sys/process_namespace.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/trial.hpp"
#include "common/sys/user_namespace.hpp"
#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/sanitizers.hpp"

namespace {

class ProcessNamespace : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "making a process namespace needs root";
  }
};

TEST_F(ProcessNamespace, GoesOnInAChildThatIsProcessOne) {
  EXPECT_EQ(test::in_child([] {
              sys::cancel_on_signals();
              bool prepared = false;
              const auto reason = sys::enter_process_namespace([&] { prepared = true; });
              return !reason && prepared && ::getpid() == 1 ? 7 : 1;
            }),
            7);
}

TEST_F(ProcessNamespace, GivesTheReasonInTheSameProcessWhereThatCannotBe) {
  EXPECT_EQ(test::in_child([] {
              sys::cancel_on_signals();
              const pid_t self = ::getpid();
              const auto reason = sys::enter_process_namespace([] {
                throw util::Error("it is too late", {.code = std::make_error_code(std::errc::timed_out)});
              });
              if (!reason || std::string(reason->what()) != "it is too late" || ::getpid() != self) return 1;
              if (reason->cause().code != std::errc::timed_out) return 3;
              // Children are born where they were before.
              const pid_t child = ::fork();
              if (child == 0) ::_exit(::getpid() > 1 ? 0 : 1);
              int status = 1;
              return ::waitpid(child, &status, 0) == child ? status : 2;
            }),
            0);
}

TEST_F(ProcessNamespace, GivesTheReasonToWhoCannotLeaveIt) {
  if (test::has_thread_sanitizer)
    GTEST_SKIP()
        << "ThreadSanitizer has a thread of its own, and who has threads may not enter a user namespace";
  EXPECT_EQ(sys::why_not([] {
              sys::enter_user_namespace();
              sys::cancel_on_signals();
              sys::enter_process_namespace([] { throw util::Error("it is too late"); });
            }),
            "it is too late");
}

// Forks a process that goes on in a namespace of its own, where nothing ends it: it hears no request. It
// holds `alive` as long as it lives.
pid_t start_deaf_one(const sys::UniqueFd& alive) {
  const pid_t started = ::fork();
  if (started != 0) return started;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // as every child of ours
  sys::cancel_on_signals();
  if (sys::enter_process_namespace([] {})) ::_exit(1);
  sys::write_all(alive.get(), "1", "the pipe");
  for (int seconds = 0; seconds < 120; ++seconds)
    ::poll(nullptr, 0, 1000);
  ::_exit(0);
}

TEST_F(ProcessNamespace, EndsAWhileAfterItsParentOrThatOnesWasKilledWhateverItDoes) {
  auto alive = sys::make_pipe();
  const pid_t parent = start_deaf_one(alive.write_end);
  const pid_t above = ::fork();
  if (above == 0) {
    start_deaf_one(alive.write_end);
    for (;;)
      ::pause();
  }
  alive.write_end = sys::UniqueFd();
  std::array<std::byte, 1> byte;
  for (int started = 0; started < 2; ++started)
    ASSERT_EQ(sys::read_some(alive.read_end.get(), byte, "the pipe"), 1U);
  for (const pid_t killed : {parent, above}) {
    ::kill(killed, SIGKILL);
    ::waitpid(killed, nullptr, 0);
  }
  // Without it they would last for two minutes.
  pollfd ended{.fd = alive.read_end.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ended, 1, 60'000), 1) << "it goes on";
}

}  // namespace
