// Threads: what they throw, which signals reach them.
#include "common/sys/thread.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <stdexcept>

#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"

namespace {

bool blocks_stop_signals() {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 &&
         sigismember(&mask, SIGHUP) == 1;
}

TEST(Thread, BlocksStopSignalsInItselfAndInWhatItStarts) {
  bool own = false;
  bool nested = false;
  sys::Thread thread([&] {
    own = blocks_stop_signals();
    sys::Thread([&] { nested = blocks_stop_signals(); }).join();
  });
  thread.join();
  EXPECT_TRUE(own);
  EXPECT_TRUE(nested);
  EXPECT_FALSE(blocks_stop_signals());
}

TEST(Thread, GivesWhatItThrowsToJoin) {
  sys::Thread thread([] { throw util::Error("it broke"); });
  EXPECT_EQ(test::error_of([&] { thread.join(); }), "it broke");
  sys::Thread other([] { throw std::runtime_error("no error of ours"); });
  EXPECT_THROW(other.join(), std::runtime_error);
}

TEST(Thread, EndsWithItsObjectWhateverItThrows) {
  std::atomic<int> ended = 0;
  {
    sys::Thread thread([&] {
      ++ended;
      throw util::Error("lost");
    });
    sys::Thread replaced([&] { ++ended; });
    replaced = sys::Thread([&] { ++ended; });
  }
  EXPECT_EQ(ended, 3);
}

// A child of a thread must be one that SIGTERM ends.
TEST(Thread, StartsChildrenThatSignalsReach) {
  sys::Thread thread([] {
    const auto status = sys::start({.argv = {"sh", "-c", "kill -TERM $$; exit 3"}}).wait();
    EXPECT_EQ(status.signal, SIGTERM);
  });
  thread.join();
}

TEST(StartThreads, MakesDoWithFewerThanAskedFor) {
  EXPECT_EQ(test::in_child([] {
              // The limit does not bind root; another user has no other processes that count.
              const rlimit processes{.rlim_cur = 20, .rlim_max = 20};
              constexpr uid_t somebody = 54321;
              if (::setrlimit(RLIMIT_NPROC, &processes) != 0) return 1;
              if (::geteuid() == 0 && ::setresuid(somebody, somebody, somebody) != 0) return 3;
              std::atomic<std::size_t> ran = 0;
              std::atomic<bool> all_there = false;  // none ends before: only those that live count
              std::size_t started = 0;
              {
                const auto threads = sys::start_threads(10'000, [&] {
                  all_there.wait(false);
                  ++ran;
                });
                started = threads.size();
                all_there = true;
                all_there.notify_all();
              }
              return started < 10'000 && ran == started ? 0 : 2;
            }),
            0);
}

TEST(SharedWork, IsDoneOnceEach) {
  std::vector<std::atomic<int>> done(100);
  sys::share_work(done.size(), 3, [&](std::size_t number, const sys::Cancellation&) { ++done[number]; });
  for (const auto& times : done)
    EXPECT_EQ(times, 1);
  sys::share_work(0, 3, [](std::size_t, const sys::Cancellation&) { FAIL() << "there is none"; });
}

TEST(SharedWork, IsCalledOffByTheFirstThatThrows) {
  const auto work = [](std::size_t number, const sys::Cancellation& cancel) {
    if (number == 1) throw util::Error("the second fails");
    for (;;)
      cancel.sleep(std::chrono::milliseconds(1));
  };
  EXPECT_EQ(test::error_of([&] { sys::share_work(1000, 2, work); }), "the second fails");
}

}  // namespace
