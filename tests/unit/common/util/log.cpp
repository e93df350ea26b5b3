// Lines on stderr. A test's stderr is no terminal, so there is no colour.
#include "common/util/log.hpp"

#include <gtest/gtest.h>

namespace {

namespace log = util::log;

class Log : public testing::Test {
protected:
  Log() { log::set_program("tool"); }
  ~Log() override {
    log::set_program("");
    log::set_level(log::Level::info);
  }

  template <typename Action>
  static std::string written(Action&& action) {
    testing::internal::CaptureStderr();
    action();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, NamesTheProgramAndTheLevel) {
  EXPECT_EQ(written([] { log::error("broken"); }), "tool: broken\n");
  EXPECT_EQ(written([] { log::warning("odd"); }), "tool: warning: odd\n");
  EXPECT_EQ(written([] { log::info("done"); }), "tool: done\n");
}

TEST_F(Log, ShowsDebugOnlyWhenAskedTo) {
  EXPECT_EQ(written([] { log::debug("detail"); }), "");
  log::set_level(log::Level::debug);
  EXPECT_EQ(written([] { log::debug("detail"); }), "tool: debug: detail\n");
  log::set_level(log::Level::error);
  EXPECT_FALSE(log::shows(log::Level::warning));
  EXPECT_TRUE(log::shows(log::Level::error));
}

TEST_F(Log, PrefixesEveryLine) {
  EXPECT_EQ(written([] { log::info("one\ntwo"); }), "tool: one\ntool: two\n");
}

TEST_F(Log, LetsNoMessageMoveTheCursor) {
  EXPECT_EQ(written([] { log::error("no 'x\\y'\t\x1b[2J\r\xc2\x9b\xff \xc3\xa9"); }),
            "tool: no 'x\\y'\t\\x1b[2J\\x0d\\xc2\\x9b\\xff \xc3\xa9\n");
}

}  // namespace
