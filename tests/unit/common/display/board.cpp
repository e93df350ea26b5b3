#include "common/display/board.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono;
using display::Board;
using display::LastLines;
using display::Update;

const display::Time board_start = display::Time(seconds(1000));

std::vector<std::string> texts(const LastLines& lines) {
  std::vector<std::string> all;
  for (const auto& line : lines.lines())
    all.push_back(line.text);
  return all;
}

using Texts = std::vector<std::string>;

TEST(LastLines, KeepsTheLastLinesAndTheUnfinishedOne) {
  LastLines lines;
  for (int i = 1; i <= 30; ++i)
    lines.add(std::to_string(i) + "\n", i);
  lines.add("un", 31);
  lines.add("finished", 32);
  const auto all = lines.lines();
  ASSERT_EQ(all.size(), LastLines::most + 1);
  EXPECT_EQ(all.front().text, "11");
  EXPECT_EQ(all.back().text, "unfinished");
  EXPECT_EQ(all.back().seconds, 31);
}

TEST(LastLines, PutsWhatFollowsACarriageReturnInThePlaceOfTheLine) {
  LastLines lines;
  lines.add("10%\r20%\r", 0);
  EXPECT_EQ(texts(lines), Texts{"20%"});
  lines.add("30%", 0);
  EXPECT_EQ(texts(lines), Texts{"30%"});
  lines.add("\r\nwindows\r\nlast", 0);
  EXPECT_EQ(texts(lines), (Texts{"30%", "windows", "last"}));
}

TEST(LastLines, HoldsNotMuchOfALineThatDoesNotEnd) {
  LastLines lines;
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 10; ++i)
    lines.add(piece, 0);
  lines.add("end", 0);
  ASSERT_EQ(lines.lines().size(), 1U);
  EXPECT_LE(lines.lines().front().text.size(), 64U << 10);
  lines.add("\n", 0);
  EXPECT_LE(lines.lines().front().text.size(), 4U << 10);
}

TEST(LastLines, HasNothingThatATerminalObeys) {
  LastLines lines;
  lines.add("\x1b[2Jsafe\x1b]0;ti", 0);
  lines.add("tle\a!\n\x1b[", 0);
  EXPECT_EQ(texts(lines), (Texts{"safe!"}));
}

TEST(Board, KnowsWhatRunsWhatEndedAndHow) {
  Board board;
  board.apply({.vertexes = {{.digest = "a", .name = "one"}, {.digest = "b", .name = "two"}}}, board_start);
  board.apply({.vertexes = {{.digest = "b", .name = "two", .started = board_start}}}, board_start);
  board.apply({.vertexes = {{.digest = "a",
                             .name = "one",
                             .started = board_start,
                             .completed = board_start,
                             .cached = true}}},
              board_start);
  const auto work = board.work();
  ASSERT_EQ(work.size(), 2U);
  EXPECT_EQ(work[0]->name, "two");
  EXPECT_TRUE(work[0]->is_running());
  EXPECT_EQ(work[0]->duration(board_start + seconds(2)), seconds(2));
  EXPECT_TRUE(work[1]->cached);
  board.end(board_start + seconds(3));
  EXPECT_TRUE(board.find("b")->canceled);
  EXPECT_EQ(board.find("b")->duration(board_start + seconds(9)), seconds(3));
  EXPECT_EQ(board.failure(), nullptr);
}

TEST(Board, AddsUpTheTimesOfWorkThatBeginsAnew) {
  Board board;
  const auto tell = [&](display::Time started, std::optional<display::Time> completed) {
    board.apply({.vertexes = {{.digest = "a", .name = "one", .started = started, .completed = completed}}},
                board_start);
  };
  tell(board_start, board_start + seconds(1));
  tell(board_start + seconds(5), std::nullopt);
  tell(board_start + seconds(5), board_start + seconds(7));
  EXPECT_EQ(board.find("a")->duration(board_start), seconds(3));
  EXPECT_EQ(board.work().size(), 1U);
}

TEST(Board, TakesTheFirstErrorForTheFailureAndNotWhatWasStoppedForIt) {
  Board board;
  const auto fail = [&](const std::string& digest, const std::string& error) {
    board.apply({.vertexes = {{.digest = digest,
                               .name = digest,
                               .started = board_start,
                               .completed = board_start,
                               .error = error}}},
                board_start);
  };
  fail("a", "process \"x\": context canceled");
  fail("b", "exit code: 1");
  fail("c", "exit code: 2");
  ASSERT_NE(board.failure(), nullptr);
  EXPECT_EQ(board.failure()->digest, "b");
  EXPECT_TRUE(board.find("a")->canceled);
}

TEST(Board, CountsEachBlobThatWasPulledOnce) {
  Board board;
  const auto pull = [&](const std::string& vertex, const std::string& id, std::uint64_t bytes) {
    board.apply({.statuses = {{.id = id, .vertex = vertex, .current = bytes, .total = 100}}}, board_start);
  };
  pull("a", "sha256:1", 10);
  pull("a", "sha256:1", 100);
  pull("b", "sha256:1", 100);
  pull("b", "sha256:2", 7);
  pull("b", "extracting sha256:2", 1000);
  EXPECT_EQ(board.pulled_bytes(), 107U);
}

TEST(Board, LeavesNothingInNamesAndErrorsForATerminalToObey) {
  Board board;
  board.apply({.vertexes = {{.digest = "a",
                             .name = "RUN \x1b[2J",
                             .started = board_start,
                             .completed = board_start,
                             .error = "no\x1b]0;x\a\n"}},
               .warnings = {{.vertex = "a", .text = "\x9b warn\r"}}},
              board_start);
  EXPECT_EQ(board.find("a")->name, "RUN ");
  EXPECT_EQ(board.find("a")->error, "no");
  EXPECT_EQ(board.find("a")->warnings.at(0), "\xef\xbf\xbd warn");
}

}  // namespace
