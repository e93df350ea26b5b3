// Heredoc words.
#include "common/dockerfile/heredoc.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/source.hpp"

namespace {

using dockerfile::find_heredocs;
using dockerfile::parse_heredoc;

TEST(Heredoc, HasANameBehindTwoAngles) {
  const auto heredoc = parse_heredoc("<<EOF");
  ASSERT_TRUE(heredoc);
  EXPECT_EQ(heredoc->name, "EOF");
  EXPECT_TRUE(heredoc->expand);
  EXPECT_FALSE(heredoc->chomp);
}

TEST(Heredoc, MayHaveANumberAHyphenAndBlanks) {
  const auto heredoc = parse_heredoc("3<<- \tEOF");
  ASSERT_TRUE(heredoc);
  EXPECT_EQ(heredoc->name, "EOF");
  EXPECT_TRUE(heredoc->chomp);
}

TEST(Heredoc, IsNotExpandedIfAnyPartOfItsNameIsQuoted) {
  for (const char* word : {"<<'EOF'", "<<\"EOF\"", "<<E\"O\"F"}) {
    const auto heredoc = parse_heredoc(word);
    ASSERT_TRUE(heredoc) << word;
    EXPECT_EQ(heredoc->name, "EOF");
    EXPECT_FALSE(heredoc->expand) << word;
  }
}

TEST(Heredoc, IsNoneWithoutANameOrWithMoreAnglesOrWords) {
  for (const char* word : {"<<", "<<-", "<<<x", "<EOF", "EOF", "x<<EOF", "<<a<b", "<<a b", "", "<<\"\""}) {
    EXPECT_FALSE(parse_heredoc(word)) << word;
  }
}

TEST(Heredoc, RefusesANameWhoseQuoteDoesNotClose) {
  EXPECT_THROW(parse_heredoc("<<'EOF"), dockerfile::SyntaxError);
}

TEST(Heredocs, AreFoundInTheirOrder) {
  const auto heredocs = find_heredocs("RUN cat <<ONE && cat 3<<-'TWO' << THREE");
  ASSERT_EQ(heredocs.size(), 3U);
  EXPECT_EQ(heredocs[0].name, "ONE");
  EXPECT_EQ(heredocs[1].name, "TWO");
  EXPECT_EQ(heredocs[2].name, "THREE");
}

TEST(Heredocs, AreNotFoundInQuotesOrBehindEscapes) {
  EXPECT_TRUE(find_heredocs(R"(RUN echo "<<A" '<<B' \<\<C <<<D)").empty());
}

// Seen with the real one, which then misses the end of "2))".
TEST(Heredocs, AreFoundInArithmeticToo) {
  ASSERT_EQ(find_heredocs("RUN echo $((1 << 2))").size(), 1U);
}

TEST(Heredocs, AreNotFoundWhereQuotesDoNotClose) {
  EXPECT_TRUE(find_heredocs("RUN <<A echo it's").empty());
}

TEST(HeredocContent, LosesTheTabsOfEachLineIfChomped) {
  dockerfile::Heredoc heredoc{"EOF", true, false, "\t\ta\n\n\tb\tc\n d\n"};
  EXPECT_EQ(heredoc.content(), "\t\ta\n\n\tb\tc\n d\n");
  heredoc.chomp = true;
  EXPECT_EQ(heredoc.content(), "a\n\nb\tc\n d\n");
}

}  // namespace
