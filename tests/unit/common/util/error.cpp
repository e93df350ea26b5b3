// The one exception.
#include "common/util/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/error_of.hpp"

namespace {

using test::error_of;
using util::Error;

TEST(Error, ExitsWith1UnlessSaidOtherwise) {
  EXPECT_EQ(Error("x").exit_code(), 1);
  EXPECT_EQ(Error("x", util::ExitCode::usage).exit_code(), 2);
  EXPECT_EQ(Error("x", 128 + 15).exit_code(), 143);
}

TEST(ThrowErrno, EndsWithTheReason) {
  EXPECT_EQ(error_of([] {
              errno = ENOENT;
              util::throw_errno("cannot open 'x'");
            }),
            "cannot open 'x': No such file or directory");
  EXPECT_EQ(error_of([] { util::throw_errno("cannot fork", EAGAIN); }),
            "cannot fork: Resource temporarily unavailable");
}

TEST(WithContext, PutsItInFrontAndKeepsTheExitCode) {
  try {
    util::with_context("IMAGE_ARG_base", [] { throw Error("no such thing", 7); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "IMAGE_ARG_base: no such thing");
    EXPECT_EQ(error.exit_code(), 7);
  }
}

TEST(WithContext, GivesWhatTheActionGives) {
  EXPECT_EQ(util::with_context("x", [] { return 7; }), 7);
  int value = 1;
  util::with_context("x", [&]() -> int& { return value; }) = 2;
  EXPECT_EQ(value, 2);
}

}  // namespace
