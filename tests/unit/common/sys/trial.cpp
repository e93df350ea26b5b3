// Trials in a forked copy of the process.
#include "common/sys/trial.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "common/util/error.hpp"

namespace {

TEST(Trial, ThatSucceedsHasNothingAgainstIt) {
  EXPECT_EQ(sys::why_not([] {}), std::nullopt);
}

TEST(Trial, ThatThrowsGivesTheMessage) {
  EXPECT_EQ(sys::why_not([] { throw util::Error("it is too late"); }), "it is too late");
}

TEST(Trial, ThatIsKilledNamesTheSignal) {
  EXPECT_EQ(sys::why_not([] { std::raise(SIGKILL); }), "a trial was killed by SIGKILL");
}

TEST(Trial, ChangesNothingInTheProcessThatAsks) {
  int value = 1;
  EXPECT_EQ(sys::why_not([&] { value = 2; }), std::nullopt);
  EXPECT_EQ(value, 1);
}

}  // namespace
