// Which lines of buildctl are kept from people.
#include "common/buildkit/progress.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Noise, IsWhatTheContentStoreSaysOfFsVerity) {
  EXPECT_TRUE(buildkit::is_noise(
      "time=\"2026-11-23T10:32:42Z\" level=warning msg=\"failed check for fsverity support\" error=\"x\"\n"));
  EXPECT_FALSE(buildkit::is_noise("time=\"2026-11-23T10:32:42Z\" level=warning msg=\"something else\"\n"));
  EXPECT_FALSE(buildkit::is_noise("#5 0.1 failed check for fsverity support\n"));
}

}  // namespace
