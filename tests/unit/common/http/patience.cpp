#include "common/http/patience.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;

TEST(Floor, BearsASlowDownloadThatGoesOn) {
  Floor floor(60s, 1024);
  for (int second = 0; second < 3600; ++second) {
    floor.receive(2048);
    ASSERT_TRUE(floor.wait(1s)) << second;
  }
}

TEST(Floor, EndsAByteASecondAfterItsPeriod) {
  Floor floor(60s, 1024);
  int seconds = 0;
  do
    floor.receive(1);
  while (++seconds, floor.wait(1s));
  EXPECT_EQ(seconds, 60);
}

TEST(Floor, IsNotKeptUpByABurstNowAndThen) {
  Floor floor(60s, 1024);
  floor.receive(30 << 10);
  EXPECT_TRUE(floor.wait(50s));
  EXPECT_FALSE(floor.wait(10s));
}

TEST(Floor, EndsSilenceEvenWhereAnySpeedWillDo) {
  EXPECT_FALSE(Floor(60s, 0).wait(60s));
}

}  // namespace
}  // namespace http
