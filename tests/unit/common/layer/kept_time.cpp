#include "common/layer/kept_time.hpp"

#include <gtest/gtest.h>

namespace layer {
namespace {

constexpr std::int64_t latest = 9'223'372'036;

TEST(KeptTime, IsTheMembersFrom1970To2262) {
  EXPECT_EQ(kept_time({.tv_sec = 0, .tv_nsec = 1}).tv_nsec, 1);
  EXPECT_EQ(kept_time({.tv_sec = latest, .tv_nsec = 854'775'807}).tv_sec, latest);
}

TEST(KeptTime, IsTheBeginningOf1970Otherwise) {
  for (const auto& time :
       {timespec{.tv_sec = -1, .tv_nsec = 5}, timespec{.tv_sec = latest, .tv_nsec = 854'775'808},
        timespec{.tv_sec = latest + 1, .tv_nsec = 0}}) {
    EXPECT_EQ(kept_time(time).tv_sec, 0);
    EXPECT_EQ(kept_time(time).tv_nsec, 0);
  }
}

}  // namespace
}  // namespace layer
