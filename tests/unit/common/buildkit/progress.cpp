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

TEST(UnknownProgram, IsWhatRuncSaysOfItAtTheEnd) {
  EXPECT_TRUE(buildkit::is_unknown_program("0.239 exec /bin/sh: exec format error\n"));
  for (const auto* line :
       {"#7 0.239 exec /bin/sh: exec format error\n", "exec /bin/sh: exec format error\n",
        "0.239 said: exec format error\n", "0.239 exec /bin/sh: no such file or directory\n",
        "0.239 exec /bin/sh: exec format error, it said\n", "0.239\n", ""})
    EXPECT_FALSE(buildkit::is_unknown_program(line)) << line;
}

}  // namespace
