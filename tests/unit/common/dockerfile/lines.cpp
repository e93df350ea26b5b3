// LineReader: directives, comments, continuations, heredoc bodies.
#include "common/dockerfile/lines.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/source.hpp"

namespace {

using dockerfile::LineReader;
using dockerfile::LogicalLine;
using dockerfile::SyntaxError;
using Texts = std::vector<std::string>;

std::vector<LogicalLine> read(std::string_view text) {
  LineReader reader(text);
  std::vector<LogicalLine> lines;
  while (auto line = reader.next())
    lines.push_back(std::move(*line));
  return lines;
}

Texts texts(std::string_view text) {
  Texts result;
  for (const auto& line : read(text))
    result.push_back(line.text);
  return result;
}

std::string lines_fault(std::string_view text) {
  try {
    read(text);
  } catch (const SyntaxError& error) {
    return error.what();
  }
  return "";
}

TEST(Lines, DropsAByteOrderMarkFromTheFirstLineOnly) {
  EXPECT_EQ(texts("\xEF\xBB\xBFRUN a\n\xEF\xBB\xBFRUN b"), (Texts{"RUN a", "\xEF\xBB\xBFRUN b"}));
}

TEST(Lines, StopsAtALineThatIsTooLong) {
  const std::string longest(LineReader::longest_line, 'x');
  EXPECT_EQ(texts("a\n" + longest + "\nb").size(), 3U);
  const std::string text = "a\n" + longest + "x\nb";
  LineReader reader(text);
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.stopped_at_long_line());
}

TEST(Lines, DropsCommentsButNotAHashFurtherOn) {
  EXPECT_EQ(texts("# a\n  # b\nRUN x # y\n"), (Texts{"RUN x # y"}));
}

TEST(Lines, DropsCommentsInsideAContinuedInstruction) {
  EXPECT_EQ(texts("RUN a \\\n# x\n  # y \\\n  b"), (Texts{"RUN a   b"}));
}

TEST(Lines, JoinsContinuedLinesWithNothingBetween) {
  EXPECT_EQ(texts("RUN a\\\nb\nRUN c"), (Texts{"RUN ab", "RUN c"}));
}

TEST(Lines, AllowsBlanksBehindTheContinuationMark) {
  EXPECT_EQ(texts("RUN a\\ \t \nb"), (Texts{"RUN ab"}));
}

TEST(Lines, DoesNotContinueAfterAnEscapedEscape) {
  EXPECT_EQ(texts("RUN a\\\\\nRUN b"), (Texts{"RUN a\\\\", "RUN b"}));
  EXPECT_EQ(texts("RUN a\\\\\\\nRUN b"), (Texts{"RUN a\\\\\\", "RUN b"}));
}

TEST(Lines, ContinuesALineThatIsTheMarkAlone) {
  EXPECT_EQ(texts("\\\nRUN a"), (Texts{"RUN a"}));
}

TEST(Lines, PassesOverEmptyLinesInsideAContinuationAndRemembersThem) {
  const auto lines = read("RUN a \\\n\n \t\nb\nRUN c");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "RUN a b");
  EXPECT_TRUE(lines[0].empty_continuation);
  EXPECT_FALSE(lines[1].empty_continuation);
}

TEST(Lines, AcceptsTheEndInsideAContinuation) {
  EXPECT_EQ(texts("RUN a \\"), (Texts{"RUN a "}));
}

TEST(Lines, StripsTheIndentOfTheFirstLineOnly) {
  EXPECT_EQ(texts("  \tRUN a \\\n    b"), (Texts{"RUN a     b"}));
}

TEST(Lines, TakesCarriageReturnsForPartOfTheLineBreak) {
  EXPECT_EQ(texts("RUN a \\\r\nb\r\nRUN c\r\n"), (Texts{"RUN a b", "RUN c"}));
}

TEST(Lines, KnowTheirPlaces) {
  const auto lines = read("# x\n\nRUN a \\\n b \\\n c\nRUN d");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].location, (dockerfile::Location{3, 5}));
  EXPECT_EQ(lines[1].location, (dockerfile::Location{6, 6}));
}

TEST(Lines, KeepTheCommentsAboveThemAcrossBlankLines) {
  const auto lines = read("# one\n# two\n\nRUN a\nRUN b\n# three\n#\n# four\nRUN c");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].comments, (Texts{"one", "two"}));
  EXPECT_EQ(lines[1].comments, (Texts{}));
  EXPECT_EQ(lines[2].comments, (Texts{"four"}));
}

TEST(Lines, TakeTheEscapeFromADirectiveInAnyCaseAndWithBlanks) {
  EXPECT_EQ(texts("#  EsCaPe =  ` \nRUN a`\nb\\\nRUN c"), (Texts{"RUN ab\\", "RUN c"}));
}

TEST(Lines, ReadDirectivesOnlyAtTheTop) {
  EXPECT_EQ(texts("# a comment\n# escape=`\nRUN a\\\nb"), (Texts{"RUN ab"}));
  EXPECT_EQ(texts("\n# escape=`\nRUN a\\\nb"), (Texts{"RUN ab"}));
  EXPECT_EQ(texts("# other=x\n# escape=`\nRUN a\\\nb"), (Texts{"RUN ab"}));
  EXPECT_EQ(texts("# syntax=x\n# check=y\n# escape=`\nRUN a`\nb"), (Texts{"RUN ab"}));
}

TEST(Lines, DoNotTakeADirectiveForAComment) {
  EXPECT_EQ(read("# escape=`\n# c\nRUN a").front().comments, (Texts{"c"}));
}

TEST(Lines, RefuseADirectiveThatStandsTwice) {
  EXPECT_EQ(lines_fault("# escape=`\n# Escape=`\nRUN a"), "only one escape parser directive can be used");
}

TEST(Lines, RefuseAnyOtherEscape) {
  EXPECT_EQ(lines_fault("# escape=x\nRUN a"), "invalid escape token 'x' does not match ` or \\");
  EXPECT_EQ(lines_fault("# escape= \nRUN a"), "invalid escape token ' ' does not match ` or \\");
  EXPECT_EQ(lines_fault("# escape=\nRUN a"), "");  // then it is a comment
}

TEST(Lines, GiveTheBodyOfAHeredocAsItStands) {
  LineReader reader("RUN <<EOF\n\ta \\\n# b\r\n EOF\nEOF\nRUN c");
  reader.next();
  EXPECT_EQ(reader.heredoc("EOF", LineReader::Tabs::keep), "\ta \\\n# b\r\n EOF\n");
  EXPECT_EQ(reader.next()->text, "RUN c");
}

TEST(Lines, FindTheEndOfAHeredocBehindTabsIfTheyAreChomped) {
  LineReader kept("RUN\n\tEOF\n");
  kept.next();
  EXPECT_FALSE(kept.heredoc("EOF", LineReader::Tabs::keep));
  LineReader chomped("RUN\n\ta\n\t\tEOF\n");
  chomped.next();
  EXPECT_EQ(chomped.heredoc("EOF", LineReader::Tabs::chomp), "\ta\n");
}

}  // namespace
