// The one exception.
#include "common/util/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <system_error>

#include "tests/support/error_of.hpp"

namespace {

using test::error_of;
using util::Cause;
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

TEST(Error, HasNoCauseUnlessSaidOtherwise) {
  const Error error("x");
  EXPECT_EQ(error.cause().kind, Cause::Kind::failed);
  EXPECT_FALSE(error.cause().code);
  EXPECT_FALSE(error.is_cancelled());
  EXPECT_FALSE(error.is_damage());
}

TEST(ThrowErrno, GivesTheErrorNumberAsTheCause) {
  try {
    util::with_context("outer", [] { util::throw_errno("cannot open 'x'", ENOSPC); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause().code, std::errc::no_space_on_device);
    EXPECT_EQ(error.cause().kind, Cause::Kind::failed);
  }
}

TEST(WithContext, KeepsTheCause) {
  try {
    util::with_context("outer", [] {
      util::with_context("inner", [] { throw Error("x is damaged", Cause::Kind::damaged); });
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "outer: inner: x is damaged");
    EXPECT_TRUE(error.is_damage());
  }
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

TEST(Error, IsNotCutByANulByte) {
  EXPECT_STREQ(Error(std::string("a\0b\0", 4)).what(), "a\\0b\\0");
}

TEST(WithContext, GivesWhatTheActionGives) {
  EXPECT_EQ(util::with_context("x", [] { return 7; }), 7);
  int value = 1;
  util::with_context("x", [&]() -> int& { return value; }) = 2;
  EXPECT_EQ(value, 2);
}

}  // namespace
