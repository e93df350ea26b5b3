#include "common/engine/progress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <future>
#include <string>

namespace {

using engine::Progress;
using Vertex = engine::Progress::Vertex;

// "0.123" of a line of output becomes "T", "0.1s" of an end "Ts".
std::string without_times(const std::string& text) {
  std::string result;
  std::string word;
  const auto digits_from = [&](std::size_t at) {
    std::size_t count = 0;
    while (at + count < word.size() && std::isdigit(static_cast<unsigned char>(word[at + count])))
      ++count;
    return count;
  };
  for (const char c : text + "\n") {
    if (c != ' ' && c != '\n') {
      word += c;
      continue;
    }
    const std::size_t whole = digits_from(0);
    const bool has_point = whole > 0 && whole < word.size() && word[whole] == '.';
    const std::string rest = has_point ? word.substr(whole + 1 + digits_from(whole + 1)) : word;
    if (has_point && rest.empty()) word = "T";
    if (has_point && rest == "s") word = "Ts";
    result += word + c;
    word.clear();
  }
  result.pop_back();
  return result;
}

constexpr auto for_ever = std::chrono::hours(1);

// What is shown while `use` runs, with T in place of times.
template <typename Use>
std::string shown(std::chrono::milliseconds patience, Use&& use) {
  std::string text;
  {
    Progress progress({.write = [&](std::string_view part) { text += part; }, .patience = patience});
    use(progress, text);
  }
  return without_times(text);
}

TEST(Progress, ShowsTitleOutputAndEnd) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex vertex(progress, "[2/2] RUN make");
                    vertex.start();
                    vertex.write("one\ntwo\n\n");
                    vertex.done();
                  }),
            "#1 [2/2] RUN make\n#1 T one\n#1 T two\n#1 T \n#1 DONE Ts\n");
}

TEST(Progress, ShowsWordsAboutWorkThatHasEndedBelowItsTitle) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex other(progress, "other");
                    {
                      Vertex vertex(progress, "load");
                      vertex.start();
                      vertex.done();
                      other.start();
                      vertex.warn("late");
                    }
                    other.done();
                  }),
            "#1 load\n#1 DONE Ts\n\n#2 other\n#2 ...\n\n#1 load\n#1 WARN: late\n\n#2 other\n#2 DONE Ts\n");
}

TEST(Progress, NumbersWorkInTheOrderItIsShown) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex late(progress, "late");
                    Vertex early(progress, "early");
                    early.cached();
                    late.start();
                    late.done();
                  }),
            "#1 early\n#1 CACHED\n\n#2 late\n#2 DONE Ts\n");
}

TEST(Progress, LetsOneVertexSpeakUntilItEnds) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex one(progress, "one");
                    Vertex two(progress, "two");
                    one.start();
                    two.start();
                    two.write("from two\n");
                    one.write("from one\n");
                    two.write("more\n");
                    one.done();
                    two.done();
                  }),
            "#1 one\n#1 T from one\n#1 DONE Ts\n\n#2 two\n#2 T from two\n#2 T more\n#2 DONE Ts\n");
}

TEST(Progress, ShowsWorkThatEndsAtOnceAndGoesBack) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex one(progress, "one");
                    Vertex two(progress, "two");
                    one.start();
                    two.start();
                    two.done();
                    one.write("still here\n");
                    one.done();
                  }),
            "#1 one\n#1 ...\n\n#2 two\n#2 DONE Ts\n\n#1 one\n#1 T still here\n#1 DONE Ts\n");
}

TEST(Progress, GivesTheWordToWhoHasWaitedLongEnough) {
  EXPECT_EQ(shown(std::chrono::milliseconds(0),
                  [](Progress& progress, const std::string&) {
                    Vertex one(progress, "one");
                    Vertex two(progress, "two");
                    one.start();
                    two.start();
                    one.write("a\n");
                    two.done();
                    one.done();
                  }),
            "#1 one\n#1 ...\n\n#2 two\n#2 ...\n\n#1 one\n#1 T a\n#1 ...\n\n#2 two\n#2 DONE Ts\n\n"
            "#1 one\n#1 DONE Ts\n");
}

TEST(Progress, GivesTheWordWithoutAFurtherEvent) {
  std::promise<void> seen;
  std::string text;
  {
    Progress progress({.write =
                           [&](std::string_view part) {
                             text += part;
                             if (part.find("#2 two") != std::string_view::npos) seen.set_value();
                           },
                       .patience = std::chrono::milliseconds(1)});
    Vertex one(progress, "one");
    Vertex two(progress, "two");
    one.start();
    two.start();
    seen.get_future().wait();
  }
  EXPECT_EQ(text, "#1 one\n#1 ...\n\n#2 two\n#2 CANCELED\n\n#1 one\n#1 CANCELED\n");
}

TEST(Progress, ShowsAnUnfinishedLineAsFarAsItGoes) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string& text) {
                    Vertex vertex(progress, "v");
                    vertex.start();
                    vertex.write("checking ...");
                    EXPECT_TRUE(text.ends_with(" checking ...")) << text;
                    vertex.write(" ye");
                    vertex.write("s\nlast");
                    vertex.done();
                  }),
            "#1 v\n#1 T checking ... yes\n#1 T last\n#1 DONE Ts\n");
}

TEST(Progress, RepeatsAnUnfinishedLineThatWasInterrupted) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex one(progress, "one");
                    Vertex two(progress, "two");
                    one.start();
                    one.write("checking");
                    two.cached();
                    one.write(" done\n");
                    one.done();
                  }),
            "#1 one\n#1 T checking\n#1 ...\n\n#2 two\n#2 CACHED\n\n#1 one\n#1 T checking done\n#1 DONE Ts\n");
}

TEST(Progress, EndsALineAtACarriageReturn) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex vertex(progress, "v");
                    vertex.start();
                    vertex.write("10%\r20%\r");
                    vertex.write("\nwindows\r\nend");
                    vertex.done();
                  }),
            "#1 v\n#1 T 10%\n#1 T 20%\n#1 T windows\n#1 T end\n#1 DONE Ts\n");
}

TEST(Progress, CutsNothing) {
  const std::string line(3'000'000, 'x');
  const auto text = shown(for_ever, [&](Progress& progress, const std::string&) {
    Vertex vertex(progress, "v");
    vertex.start();
    vertex.write(line + "\n");
    vertex.done();
  });
  EXPECT_EQ(text, "#1 v\n#1 T " + line + "\n#1 DONE Ts\n");
}

TEST(Progress, RemembersOnlyTheEndOfALineThatDoesNotEnd) {
  const std::string piece(64 << 10, 'x');
  const auto text = shown(for_ever, [&](Progress& progress, const std::string& so_far) {
    Vertex vertex(progress, "v");
    vertex.start();
    for (int i = 0; i < 100; ++i) {
      vertex.write(piece);
      EXPECT_EQ(std::count(so_far.begin(), so_far.end(), 'x'), (i + 1) * piece.size());
    }
    vertex.failed("exit code: 1");
  });
  const std::string beginning =
      "#1 v\n#1 T " + std::string(100 * piece.size(), 'x') + "\n#1 ERROR: exit code: 1\n";
  ASSERT_EQ(text.substr(0, beginning.size()), beginning);
  const auto end = text.substr(beginning.size());
  EXPECT_TRUE(end.starts_with("------\n > v:\nT ...xxx")) << end.substr(0, 100);
  EXPECT_LT(end.size(), 70u << 10);
}

TEST(Progress, RepeatsTheEndOfALongLineWhenOthersHadTheWord) {
  const std::string line(100 << 10, 'x');
  const auto text = shown(std::chrono::hours(0), [&](Progress& progress, const std::string&) {
    Vertex one(progress, "one");
    Vertex two(progress, "two");
    one.start();
    one.write(line);
    two.write("2\n");
    one.write("y\n");
    two.done();
    one.done();
  });
  EXPECT_NE(text.find("\n#1 one\n#1 T ...xxx"), std::string::npos);
  EXPECT_NE(text.find("xy\n"), std::string::npos);
}

// It takes the word before its memory grows.
TEST(Progress, HoldsNotMuchBackForWhoWaits) {
  const std::string line(1000, 'x');
  const auto text = shown(for_ever, [&](Progress& progress, const std::string& so_far) {
    Vertex one(progress, "one");
    Vertex two(progress, "two");
    one.start();
    for (int i = 0; i < 2000; ++i)
      two.write(line + "\n");
    EXPECT_GT(so_far.size(), 1'000'000u);
    two.done();
    one.done();
  });
}

TEST(Progress, LetsNoTitleNoteOrReasonMoveTheCursor) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex vertex(progress, "RUN \x1b[2J");
                    vertex.start();
                    vertex.write("\x1b[31mred\x1b[0m\n");
                    vertex.note("\x07");
                    vertex.failed("no \x1b]0;name");
                  }),
            "#1 RUN \\x1b[2J\n#1 T \x1b[31mred\x1b[0m\n#1 \\x07\n#1 ERROR: no \\x1b]0;name\n"
            "------\n > RUN \\x1b[2J:\nT \x1b[31mred\x1b[0m\n------\n");
}

TEST(Progress, RepeatsTheLastLinesOfTheFirstFailureAtTheEnd) {
  const auto text = shown(for_ever, [](Progress& progress, const std::string&) {
    Vertex one(progress, "[1/2] RUN one");
    Vertex two(progress, "[2/2] RUN two");
    one.start();
    two.start();
    for (int i = 1; i <= 30; ++i)
      one.write(std::to_string(i) + "\n");
    one.failed("exit code: 1");
    two.write("never mind\n");
  });
  EXPECT_NE(text.find("#1 T 30\n#1 ERROR: exit code: 1\n\n#2 [2/2] RUN two\n#2 T never mind\n#2 CANCELED\n"
                      "------\n > [1/2] RUN one:\nT 11\nT 12\n"),
            std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("T 29\nT 30\n------\n")) << text;
}

TEST(Progress, ShowsNotesWarningsAndTransfers) {
  EXPECT_EQ(shown(for_ever,
                  [](Progress& progress, const std::string&) {
                    Vertex vertex(progress, "v");
                    vertex.start();
                    vertex.note("transferring dockerfile: 2B");
                    vertex.warn("StageNameCasing: no (line 1)");
                    vertex.transfer("sha256:ab", 10, 28'230'000);
                    vertex.transfer("sha256:ab", 28'230'000, 28'230'000);
                    vertex.transfer("sha256:ab", 28'230'000, 28'230'000);
                    vertex.done();
                  }),
            "#1 v\n#1 transferring dockerfile: 2B\n#1 WARN: StageNameCasing: no (line 1)\n"
            "#1 sha256:ab 28.23MB / 28.23MB Ts done\n#1 DONE Ts\n");
}

}  // namespace
