// Stop requests, each in a process of its own: handlers are for the whole process and for good.
#include "common/sys/stop.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"

namespace {

using namespace std::chrono_literals;
using test::in_child;

TEST(Stop, IsNotRequestedAtFirst) {
  EXPECT_EQ(in_child([] {
              sys::stop::install();
              sys::stop::check();
              return sys::stop::requested();
            }),
            0);
}

class StopSignal : public testing::TestWithParam<int> {};

TEST_P(StopSignal, BecomesAnErrorWithItsExitCode) {
  EXPECT_EQ(in_child([] {
              sys::stop::install();
              ::raise(GetParam());
              try {
                sys::stop::check();
              } catch (const util::Error& error) {
                return error.is_cancelled() ? error.exit_code() : 1;
              }
              return 0;
            }),
            128 + GetParam());
}

INSTANTIATE_TEST_SUITE_P(Stop, StopSignal, testing::Values(SIGTERM, SIGINT, SIGHUP));

TEST(Stop, RemembersTheFirstSignal) {
  EXPECT_EQ(in_child([] {
              sys::stop::install();
              ::raise(SIGINT);
              ::raise(SIGTERM);
              return sys::stop::requested();
            }),
            SIGINT);
}

TEST(Stop, WakesEveryPoll) {
  EXPECT_EQ(in_child([] {
              sys::stop::install();
              pollfd event{sys::stop::fd(), POLLIN, 0};
              if (::poll(&event, 1, 0) != 0) return 1;
              ::raise(SIGTERM);
              if (::poll(&event, 1, 0) != 1) return 2;
              return ::poll(&event, 1, 0) == 1 ? 0 : 3;
            }),
            0);
}

TEST(Stop, LeavesABrokenPipeToTheWriter) {
  EXPECT_EQ(in_child([] {
              sys::stop::install();
              ::raise(SIGPIPE);
              return 0;
            }),
            0);
}

TEST(Stop, EndsAChildThatIsWaitedFor) {
  EXPECT_EQ(in_child([] {
              sys::stop::install();
              auto child = sys::start({.argv = {"sleep", "60"}});
              std::thread([] { ::kill(::getpid(), SIGTERM); }).detach();
              try {
                child.wait();
              } catch (const util::Error& error) {
                // It is reaped by now: a second wait answers at once.
                if (child.terminate().signal != SIGTERM) return 1;
                return error.exit_code();
              }
              return 0;
            }),
            128 + SIGTERM);
}

TEST(Stop, EndsAChildWhoseOutputIsRead) {
  EXPECT_EQ(in_child([] {
              sys::stop::install();
              std::thread([] { ::kill(::getpid(), SIGINT); }).detach();
              try {
                sys::run_captured({.argv = {"sleep", "60"}}, "");
              } catch (const util::Error& error) {
                return error.exit_code();
              }
              return 0;
            }),
            128 + SIGINT);
}

}  // namespace
