// Who is told to end, by whom. Signals are for a whole process and for good, so each such test has its own.
#include "common/sys/cancellation.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "common/sys/fd.hpp"
#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"

namespace {

using namespace std::chrono_literals;
using test::in_child;

bool is_readable(int fd) {
  pollfd event{fd, POLLIN, 0};
  return ::poll(&event, 1, 0) == 1;
}

TEST(Cancellation, IsNotRequestedAtFirst) {
  const sys::Canceller canceller;
  EXPECT_FALSE(canceller.cancellation().requested());
  EXPECT_NO_THROW(canceller.cancellation().check());
  EXPECT_FALSE(is_readable(canceller.cancellation().fd()));
}

TEST(Cancellation, OfACancellerSaysSoInAnError) {
  sys::Canceller canceller;
  canceller.cancel();
  try {
    canceller.cancellation().check();
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_STREQ(error.what(), "cancelled");
    EXPECT_TRUE(error.is_cancelled());
    EXPECT_EQ(error.exit_code(), 1);
  }
}

TEST(Cancellation, ReachesAllBelowAndNobodyElse) {
  const sys::Canceller above;
  sys::Canceller middle(above.cancellation());
  const sys::Canceller beside(above.cancellation());
  const sys::Canceller below(middle.cancellation());
  const sys::Canceller lowest(below.cancellation());
  const int lowest_fd = lowest.cancellation().fd();
  middle.cancel();
  EXPECT_TRUE(middle.cancellation().requested());
  EXPECT_TRUE(lowest.cancellation().requested());
  EXPECT_TRUE(is_readable(lowest_fd));
  EXPECT_TRUE(is_readable(below.cancellation().fd())) << "also when it is asked for only now";
  EXPECT_FALSE(above.cancellation().requested());
  EXPECT_FALSE(is_readable(above.cancellation().fd()));
  EXPECT_FALSE(beside.cancellation().requested());
  EXPECT_FALSE(is_readable(beside.cancellation().fd()));
  EXPECT_FALSE(sys::Cancellation().requested());
}

TEST(Cancellation, ComesWithTheEndOfItsOwner) {
  std::optional<sys::Canceller> owner(std::in_place);
  const auto copy = owner->cancellation();
  const int fd = copy.fd();
  owner.reset();
  EXPECT_TRUE(copy.requested());
  EXPECT_TRUE(is_readable(fd));
}

TEST(Cancellation, TakesNoDescriptorsBeforeSomebodyPolls) {
  const auto next_descriptor = [] { return sys::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get(); };
  const int before = next_descriptor();
  sys::Canceller above;
  const sys::Canceller below(above.cancellation());
  EXPECT_FALSE(below.cancellation().requested());
  above.cancel();
  EXPECT_TRUE(below.cancellation().requested());
  EXPECT_EQ(next_descriptor(), before);
}

TEST(Cancellation, EndsAWaitThatHasBegun) {
  sys::Canceller above;
  const sys::Canceller below(above.cancellation());
  const auto silent = sys::make_pipe();
  const std::jthread other([&] { above.cancel(); });
  pollfd event{silent.read_end.get(), POLLIN, 0};
  EXPECT_THROW(
      {
        for (;;)
          below.cancellation().wait({&event, 1});
      },
      util::Error);
  EXPECT_THROW(below.cancellation().sleep(1h), util::Error);
}

TEST(Cancellation, LeavesAWaitToWhatItWaitsFor) {
  const sys::Canceller canceller;
  const auto pipe = sys::make_pipe();
  sys::write_all(pipe.write_end.get(), "x", "pipe");
  pollfd events[] = {{-1, POLLIN, 0}, {pipe.read_end.get(), POLLIN, 0}};
  canceller.cancellation().wait(events);
  EXPECT_EQ(events[0].revents, 0);
  EXPECT_EQ(events[1].revents, POLLIN);
}

TEST(Cancellation, LetsASleepComeToItsEnd) {
  const auto begin = std::chrono::steady_clock::now();
  sys::Canceller().cancellation().sleep(3ms);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 3ms);
}

TEST(Cancellation, EndsAChildThatIsWaitedFor) {
  sys::Canceller canceller;
  auto child = sys::start({.argv = {"sleep", "60"}});
  const std::jthread other([&] { canceller.cancel(); });
  EXPECT_THROW(child.wait(canceller.cancellation()), util::Error);
  EXPECT_EQ(child.terminate().signal, SIGTERM) << "it is reaped by now";
}

TEST(Cancellation, EndsAChildWhoseOutputIsRead) {
  sys::Canceller canceller;
  const std::jthread other([&] { canceller.cancel(); });
  EXPECT_THROW(sys::run_captured({.argv = {"sleep", "60"}}, "", 1, canceller.cancellation()), util::Error);
}

TEST(CancellationBySignal, ComesToAll) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
              const sys::Canceller above;
              const sys::Canceller below(above.cancellation());
              const int fd = below.cancellation().fd();
              if (is_readable(fd)) return 1;
              ::raise(SIGTERM);
              if (!is_readable(fd)) return 2;
              if (!above.cancellation().requested()) return 3;
              try {
                below.cancellation().check();
              } catch (const util::Error& error) {
                return error.is_cancelled() ? error.exit_code() : 4;
              }
              return 5;
            }),
            128 + SIGTERM);
}

TEST(CancellationBySignal, IsNotRequestedAtFirst) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
              sys::Cancellation().check();
              return sys::cancelling_signal();
            }),
            0);
}

class StopSignal : public testing::TestWithParam<int> {};

TEST_P(StopSignal, BecomesAnErrorWithItsExitCode) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
              ::raise(GetParam());
              try {
                sys::Cancellation().check();
              } catch (const util::Error& error) {
                return error.is_cancelled() ? error.exit_code() : 1;
              }
              return 0;
            }),
            128 + GetParam());
}

INSTANTIATE_TEST_SUITE_P(CancellationBySignal, StopSignal, testing::Values(SIGTERM, SIGINT, SIGHUP));

TEST(CancellationBySignal, RemembersTheFirstSignal) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
              ::raise(SIGINT);
              ::raise(SIGTERM);
              return sys::cancelling_signal();
            }),
            SIGINT);
}

TEST(CancellationBySignal, WakesEveryPoll) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
              pollfd event{sys::Cancellation().fd(), POLLIN, 0};
              if (::poll(&event, 1, 0) != 0) return 1;
              ::raise(SIGTERM);
              if (::poll(&event, 1, 0) != 1) return 2;
              return ::poll(&event, 1, 0) == 1 ? 0 : 3;
            }),
            0);
}

TEST(CancellationBySignal, LeavesABrokenPipeToTheWriter) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
              ::raise(SIGPIPE);
              return 0;
            }),
            0);
}

TEST(CancellationBySignal, EndsAChildThatIsWaitedFor) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
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

TEST(CancellationBySignal, EndsAChildWhoseOutputIsRead) {
  EXPECT_EQ(in_child([] {
              sys::cancel_on_signals();
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
