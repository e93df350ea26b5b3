#include "common/display/summary.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono;
using display::Board;

const display::Time summary_start = display::Time(seconds(1000));

void add(Board& board, const std::string& name, milliseconds time, bool cached = false) {
  board.apply({.vertexes = {{.digest = name,
                             .name = name,
                             .started = summary_start,
                             .completed = summary_start + time,
                             .cached = cached}}},
              summary_start);
}

TEST(Summary, NamesTheFiveThatTookLongest) {
  std::deque<Board> parts(1);
  add(parts[0], "[internal] load build definition", milliseconds(3));
  add(parts[0], "[1/7] FROM debian", seconds(4));
  for (int i = 2; i <= 7; ++i)
    add(parts[0], "[" + std::to_string(i) + "/7] RUN " + std::to_string(i), i * seconds(2));
  add(parts[0], "[b 1/1] COPY x y", milliseconds(0), true);
  add(parts[0], "exporting to docker image format", milliseconds(200));
  parts[0].apply({.statuses = {{.id = "sha256:a", .vertex = "[1/7] FROM debian", .current = 2'000'000}}},
                 summary_start);
  parts[0].end(summary_start + seconds(20));
  EXPECT_EQ(display::summary(parts),
            "steps: 6 run, 1 cached; 2.00MB pulled; 20.0s\n"
            "slowest: 14.0s [7/7] RUN 7\n"
            "slowest: 12.0s [6/7] RUN 6\n"
            "slowest: 10.0s [5/7] RUN 5\n"
            "slowest:  8.0s [4/7] RUN 4\n"
            "slowest:  6.0s [3/7] RUN 3");
}

TEST(Summary, IsOneLineWhereNothingTookLong) {
  std::deque<Board> parts(1);
  add(parts[0], "[1/1] COPY a b", milliseconds(5));
  parts[0].end(summary_start + milliseconds(12));
  EXPECT_EQ(display::summary(parts), "steps: 1 run, 0 cached; 0.0s");
}

TEST(Summary, TakesAStepOfSeveralTargetsForOne) {
  std::deque<Board> parts(2);
  add(parts[0], "[a 1/1] RUN make", seconds(3));
  add(parts[1], "[a 1/1] RUN make", milliseconds(0), true);
  for (auto& part : parts)
    part.end(summary_start + seconds(3));
  EXPECT_EQ(display::summary(parts), "steps: 1 run, 0 cached; 6.0s\nslowest: 3.0s [a 1/1] RUN make");
}

TEST(Summary, TellsStepsByTheirTitles) {
  for (const auto* title : {"[1/2] RUN x", "[build 12/34] COPY a b", "[linux/arm64 a/b 1/2] RUN x"})
    EXPECT_TRUE(display::is_step(title)) << title;
  for (const auto* title : {"[internal] load metadata for a/b", "[context x/y] load from client", "exporting",
                            "[1/] x", "[/2] x", "[] ", "1/2] x", "[a/b"})
    EXPECT_FALSE(display::is_step(title)) << title;
}

}  // namespace
