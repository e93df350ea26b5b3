#include "common/display/screen.hpp"

#include <gtest/gtest.h>

#include <future>

#include "common/util/log.hpp"

namespace {

using display::Mode;
using display::Screen;
using display::Size;

display::Update begun(const std::string& name) {
  return {.vertexes = {{.digest = name, .name = name, .started = std::chrono::system_clock::now()}}};
}

display::Update failed(const std::string& name) {
  const auto now = std::chrono::system_clock::now();
  return {.vertexes = {
              {.digest = name, .name = name, .started = now, .completed = now, .error = "exit code: 1"}}};
}

// What is written while `use` runs; no frame comes but when something asks for it.
template <typename Use>
std::string shown(
    Mode mode, Use&& use, std::function<Size()> size = [] {
      return Size{40, 10};
    }) {
  std::string text;
  {
    Screen screen({.mode = mode,
                   .write = [&](std::string_view part) { text += part; },
                   .size = std::move(size),
                   .between_frames = std::chrono::hours(1)});
    screen.begin();
    use(screen);
  }
  return text;
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t number = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++number;
  return number;
}

TEST(Screen, EndsWithAllOfTheBuildAndTheCursorAsItWas) {
  const auto text = shown(Mode::tty, [](Screen& screen) { screen.apply(begun("step")); });
  EXPECT_NE(text.find("CANCELED step"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\x1b[?7h\x1b[?25h")) << text;
}

TEST(Screen, HidesTheCursorNoLongerThanItDraws) {
  std::vector<std::string> writes;
  std::promise<void> drawn;
  {
    Screen screen({.mode = Mode::tty,
                   .write =
                       [&](std::string_view part) {
                         writes.emplace_back(part);
                         if (writes.size() == 3) drawn.set_value();
                       },
                   .size =
                       [] {
                         return Size{40, 10};
                       },
                   .between_frames = std::chrono::milliseconds(1)});
    screen.begin();
    screen.apply(begun("step"));
    drawn.get_future().wait();
  }
  for (const auto& write : writes) {
    EXPECT_EQ(count(write, "\x1b[?25l"), count(write, "\x1b[?25h"));
    EXPECT_TRUE(write.ends_with("\x1b[?25h"));
  }
}

TEST(Screen, PutsLogMessagesAboveTheView) {
  util::log::set_program("test");
  const auto text = shown(Mode::tty, [](Screen& screen) {
    screen.apply(begun("step"));
    util::log::warning("one\ntwo");
    util::log::info("three");
  });
  const auto message = text.find("test: warning: one\r\ntest: warning: two\r\n");
  ASSERT_NE(message, std::string::npos) << text;
  EXPECT_NE(text.find("[+] Building", message), std::string::npos);
  // What was drawn before is drawn over: the header and one step.
  EXPECT_NE(text.find("\r\x1b[2A\x1b[J", message), std::string::npos);
  EXPECT_LT(text.find("\r\x1b[2A\x1b[J", message), text.find("three"));
}

TEST(Screen, FindsItsTopAgainWhenTheTerminalBecameNarrower) {
  Size size{40, 10};
  const auto text = shown(
      Mode::tty,
      [&](Screen& screen) {
        screen.apply(begun("a step with a long title"));
        util::log::info("first");
        size.columns = 20;
        util::log::info("second");
        size.columns = 60;
        util::log::info("third");
      },
      [&] { return size; });
  // The step's 39 columns are two lines of 20, the header's 24 as well.
  EXPECT_LT(text.find("first"), text.find("\r\x1b[4A"));
  EXPECT_LT(text.find("\r\x1b[4A"), text.find("second"));
  EXPECT_LT(text.find("\r\x1b[2A", text.find("second")), text.find("third"));
}

TEST(Screen, ShowsWhatTheFailedStepHasSaidLast) {
  for (const auto mode : {Mode::tty, Mode::quiet}) {
    const auto text = shown(mode, [](Screen& screen) {
      screen.apply(begun("RUN make"));
      screen.apply({.logs = {{.vertex = "RUN make",
                              .data = "\x1b[2Jno such file\n",
                              .timestamp = std::chrono::system_clock::now()}}});
      screen.apply(failed("RUN make"));
    });
    EXPECT_TRUE(text.ends_with(" no such file\n------\n")) << text;
    EXPECT_NE(text.find("------\n > RUN make:\n"), std::string::npos);
  }
}

TEST(Screen, WritesALineOfJsonForEachUpdate) {
  EXPECT_EQ(shown(Mode::rawjson,
                  [](Screen& screen) {
                    screen.apply({.vertexes = {{.digest = "d", .name = "n"}}});
                    screen.apply_json(R"({"vertexes":[{"digest":"d","name":"n"}],"new":1})");
                    screen.apply_json("no JSON");
                  }),
            "{\"vertexes\":[{\"digest\":\"d\",\"name\":\"n\"}]}\n"
            "{\"vertexes\":[{\"digest\":\"d\",\"name\":\"n\"}],\"new\":1}\n");
}

TEST(Screen, WritesNothingOfItsOwnWherePlainLinesAreWantedOrNone) {
  for (const auto mode : {Mode::plain, Mode::quiet})
    EXPECT_EQ(shown(mode, [](Screen& screen) { screen.apply(begun("step")); }), "");
}

TEST(Screen, RemembersItsPartsUntilTheyWereForNothing) {
  Screen screen({.mode = Mode::quiet, .write = [](std::string_view) {}});
  screen.begin();
  screen.apply(begun("first"));
  screen.begin();
  screen.apply(begun("second"));
  screen.end();
  ASSERT_EQ(screen.parts().size(), 2U);
  EXPECT_NE(screen.parts()[1].find("second"), nullptr);
  screen.forget();
  EXPECT_TRUE(screen.parts().empty());
}

}  // namespace
