#include "common/display/layout.hpp"

#include <gtest/gtest.h>

#include "common/display/terminal_text.hpp"

namespace {

using namespace std::chrono;
using display::Board;
using display::Colours;
using display::Extent;
using display::Size;

const display::Time layout_start = display::Time(seconds(1000));

class Build {
public:
  Build& begin(const std::string& name, milliseconds after = {}) {
    board_.apply({.vertexes = {{.digest = name, .name = name, .started = layout_start + after}}},
                 layout_start + after);
    return *this;
  }
  Build& end(const std::string& name, milliseconds after, bool cached = false,
             const std::string& error = "") {
    board_.apply({.vertexes = {{.digest = name,
                                .name = name,
                                .started = board_.find(name)->started,
                                .completed = layout_start + after,
                                .cached = cached,
                                .error = error}}},
                 layout_start + after);
    return *this;
  }
  Build& say(const std::string& name, const std::string& text) {
    board_.apply({.logs = {{.vertex = name, .data = text, .timestamp = layout_start}}}, layout_start);
    return *this;
  }
  Build& pull(const std::string& name, const std::string& id, std::uint64_t current, std::uint64_t total) {
    display::Status status{
        .id = id, .vertex = name, .current = current, .total = total, .started = layout_start};
    if (current == total) status.completed = layout_start + seconds(1);
    board_.apply({.statuses = {status}}, layout_start);
    return *this;
  }
  void finish(milliseconds after) { board_.end(layout_start + after); }
  Board& board() { return board_; }

  std::string shown(Size size, Extent extent = Extent::window, const Colours& colours = {}) {
    std::string text;
    for (const auto& line : display::lay_out(board_, size, colours, extent, layout_start + seconds(12))) {
      EXPECT_LT(line.width, size.columns);
      text += line.text + "\n";
    }
    return text;
  }

private:
  Board board_;
};

TEST(Layout, IsWhatPeopleKnow) {
  Build build;
  build.begin("[internal] load build definition").end("[internal] load build definition", milliseconds(30));
  build.begin("[1/3] FROM debian").end("[1/3] FROM debian", milliseconds(50), true);
  build.begin("[2/3] RUN make", seconds(2)).say("[2/3] RUN make", "gcc a.c\ngcc b.c\n");
  EXPECT_EQ(build.shown({50, 24}),
            "[+] Building 12.0s (2/3)\n"
            " => [internal] load build definition         0.0s\n"
            " => CACHED [1/3] FROM debian                 0.1s\n"
            " => [2/3] RUN make                          10.0s\n"
            " => => # gcc a.c\n"
            " => => # gcc b.c\n");
}

TEST(Layout, ShowsHowFarAPullIs) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  Build build;
  build.begin("[1/2] FROM debian").pull("[1/2] FROM debian", digest, 5'000'000, 20'000'000);
  build.pull("[1/2] FROM debian", "sha256:" + std::string(64, 'b'), 10, 10);
  EXPECT_EQ(build.shown({80, 24}),
            "[+] Building 12.0s (0/1)\n"
            " => [1/2] FROM debian                                                     12.0s\n"
            " => => sha256:aaaaaaaaaaaa [=====>              ] 5.00MB / 20.00MB        12.0s\n"
            " => => sha256:bbbbbbbbbbbb 10B / 10B                                       1.0s\n");
  EXPECT_EQ(build.shown({50, 24}),
            "[+] Building 12.0s (0/1)\n"
            " => [1/2] FROM debian                       12.0s\n"
            " => => sha256:aaaaaaaaaaaa 5.00MB / 20.00MB 12.0s\n"
            " => => sha256:bbbbbbbbbbbb 10B / 10B         1.0s\n");
}

TEST(Layout, CutsWhatIsTooWideAtItsColumns) {
  Build build;
  build.begin("[1/1] RUN \u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57");
  build.say("[1/1] RUN \u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57", std::string(100, 'x'));
  EXPECT_EQ(build.shown({30, 24}),
            "[+] Building 12.0s (0/1)\n"
            " => [1/1] RUN \u6f22\u5b57\u6f22... 12.0s\n"
            " => => # xxxxxxxxxxxxxxxxx...\n");
  for (std::size_t columns = 2; columns < 40; ++columns)
    build.shown({columns, 5});
}

TEST(Layout, FoldsWhatHasEndedWhereThereIsNoRoom) {
  Build build;
  for (int i = 1; i <= 9; ++i) {
    const auto name = "ended " + std::to_string(i);
    build.begin(name).end(name, seconds(i));
  }
  build.begin("runs");
  for (int i = 1; i <= 9; ++i)
    build.say("runs", "line " + std::to_string(i) + "\n");
  EXPECT_EQ(build.shown({30, 12}),
            "[+] Building 12.0s (9/10)\n"
            " => 7 more that have ended\n"
            " => ended 8              8.0s\n"
            " => ended 9              9.0s\n"
            " => runs                12.0s\n"
            " => => # line 4\n"
            " => => # line 5\n"
            " => => # line 6\n"
            " => => # line 7\n"
            " => => # line 8\n"
            " => => # line 9\n");
  EXPECT_EQ(build.shown({30, 5}),
            "[+] Building 12.0s (9/10)\n"
            " => runs                12.0s\n"
            " => => # line 8\n"
            " => => # line 9\n");
}

TEST(Layout, NeverHasMoreLinesThanTheScreen) {
  Build build;
  for (int i = 0; i < 40; ++i) {
    const auto name = "step " + std::to_string(i);
    build.begin(name).say(name, "1\n2\n3\n4\n5\n6\n7\n").pull(name, "sha256:1", 1, 2);
    if (i % 3 == 0) build.end(name, seconds(1));
    build.board().apply({.warnings = {{.vertex = name, .text = "careful"}}}, layout_start);
    for (std::size_t rows = 1; rows < 50; ++rows) {
      const auto lines = display::lay_out(build.board(), {40, rows}, {}, Extent::window, layout_start);
      EXPECT_LE(lines.size(), std::max<std::size_t>(rows - 1, 1)) << i << " steps, " << rows << " rows";
    }
  }
  EXPECT_NE(build.shown({40, 10}).find(" more that run\n"), std::string::npos);
}

TEST(Layout, HasEverythingAtTheEndButTheOutput) {
  Build build;
  for (int i = 1; i <= 30; ++i) {
    const auto name = "step " + std::to_string(i);
    build.begin(name).pull(name, "transferring", 10, 10).say(name, "output\n").end(name, seconds(1));
  }
  build.finish(seconds(3));
  const auto shown = build.shown({40, 10}, Extent::whole);
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 61);
  EXPECT_TRUE(shown.starts_with("[+] Building 3.0s (30/30) FINISHED\n")) << shown;
  EXPECT_EQ(shown.find("output"), std::string::npos);
}

TEST(Layout, ColoursWhatEndedByHowItEnded) {
  const auto colours = display::colours_of("");
  Build build;
  build.begin("a").end("a", seconds(1));
  build.begin("b").end("b", seconds(1), true);
  build.begin("c").end("c", seconds(1), false, "exit code: 1");
  build.begin("d");
  build.finish(seconds(2));
  EXPECT_EQ(build.shown({24, 10}, Extent::whole, colours),
            "\x1b[31m[+] Building 2.0s (4...\x1b[0m\n"
            "\x1b[34m => a              1.0s\x1b[0m\n"
            "\x1b[36m => CACHED b       1.0s\x1b[0m\n"
            "\x1b[31m => ERROR c        1.0s\x1b[0m\n"
            "\x1b[33m => CANCELED d     2.0s\x1b[0m\n");
}

TEST(Colours, CanBeChosen) {
  const auto colours =
      display::colours_of("run=green:error=255,0,1:cancel=light-red:odd=blue:warning=none:x");
  EXPECT_EQ(colours.run, "\x1b[32m");
  EXPECT_EQ(colours.error, "\x1b[38;2;255;0;1m");
  EXPECT_EQ(colours.cancel, "\x1b[91m");
  EXPECT_EQ(colours.warning, display::colours_of("").warning);
}

}  // namespace
