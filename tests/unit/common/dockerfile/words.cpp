// How lines fall into keyword, flags, words, JSON arrays and comma-separated fields.
#include "common/dockerfile/words.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/source.hpp"
#include "tests/support/error_of.hpp"

namespace {

using namespace dockerfile;
using test::error_of;
using Words = std::vector<std::string>;

TEST(SplitLine, TakesTheKeywordTheFlagsAndTheRest) {
  const auto line = split_line("  COPY \t --chown=1:2 --link  a  b  ", '\\');
  EXPECT_EQ(line.keyword, "COPY");
  EXPECT_EQ(line.flags, (Words{"--chown=1:2", "--link"}));
  EXPECT_EQ(line.rest, "a  b");
}

TEST(SplitLine, ResolvesQuotesAndEscapesInFlags) {
  EXPECT_EQ(split_line(R"(RUN --a="x y" --b='p "q"'z --c=u\ v --d="\"" w)", '\\').flags,
            (Words{"--a=x y", "--b=p \"q\"z", "--c=u v", "--d=\""}));
}

TEST(SplitLine, EndsFlagsAtTwoHyphens) {
  const auto line = split_line("COPY --a=b -- --c d", '\\');
  EXPECT_EQ(line.flags, (Words{"--a=b"}));
  EXPECT_EQ(line.rest, "--c d");
}

TEST(SplitLine, TakesFlagsOnlyInFrontOfTheArguments) {
  EXPECT_EQ(split_line("RUN a --b", '\\').rest, "a --b");
  EXPECT_EQ(split_line("RUN -a --b", '\\').rest, "-a --b");
  EXPECT_EQ(split_line("RUN --a --b", '\\').rest, "");
}

// Seen with the real one: "--from=é" is a stage called "Ã©".
TEST(SplitLine, ReadsFlagsByteByByteAsBuildKitDoes) {
  EXPECT_EQ(split_line("COPY --from=é a b", '\\').flags, (Words{"--from=Ã©"}));
  EXPECT_EQ(split_line("COPY --from=à a b", '\\').flags, (Words{"--from=Ã"}));
}

TEST(QuotedWords, EndAtWhiteSpaceUnlessQuotedOrEscaped) {
  EXPECT_EQ(split_quoted_words(R"(a=1  b="x y" c='p q'r d=u\ v)", '\\'),
            (Words{"a=1", "b=\"x y\"", "c='p q'r", R"(d=u\ v)"}));
}

TEST(QuotedWords, KeepEscapedQuotes) {
  EXPECT_EQ(split_quoted_words(R"(a=\"x y\" b="p\" q" c='r\' s)", '\\'),
            (Words{R"(a=\"x)", R"(y\")", R"(b="p\" q")", R"(c='r\')", "s"}));
}

TEST(QuotedWords, DropAnEscapeAtTheVeryEnd) {
  EXPECT_EQ(split_quoted_words(R"(a=b\)", '\\'), (Words{"a=b"}));
  EXPECT_EQ(split_quoted_words(R"(a \)", '\\'), (Words{"a"}));
  EXPECT_EQ(split_quoted_words(R"(a="b\)", '\\'), (Words{"a=\"b"}));
}

TEST(QuotedWords, FollowTheEscapeInForce) {
  EXPECT_EQ(split_quoted_words("a=x` y b=\\ c", '`'), (Words{"a=x` y", "b=\\", "c"}));
}

TEST(Blanks, AreTabsSpacesAndTheLikeButNoOthers) {
  EXPECT_EQ(split_blanks("a \t b\v\fc"), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_blanks("a\u00A0b"), (Words{"a\u00A0b"}));
  EXPECT_EQ(split_blanks(""), Words{});
  EXPECT_EQ(cut_blanks("a  b c"), (std::pair<std::string, std::string>("a", "b c")));
  EXPECT_FALSE(cut_blanks("a"));
}

TEST(JsonWords, AreTheStringsOfAnArray) {
  EXPECT_EQ(parse_json_words(" [ \"a\" , \"b c\" ] "), (Words{"a", "b c"}));
  EXPECT_EQ(parse_json_words("[]"), Words{});
}

TEST(JsonWords, ResolveEscapes) {
  EXPECT_EQ(parse_json_words(R"(["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"])"), (Words{"\"\\/\b\f\n\r\té😀"}));
  EXPECT_EQ(parse_json_words(R"(["\ud800", "\ud800\u0041"])"), (Words{"\uFFFD",
                                                                      "\uFFFD"
                                                                      "A"}));
  EXPECT_EQ(parse_json_words("[\"\xff\"]"), (Words{"\uFFFD"}));
}

TEST(JsonWords, AreNoneUnlessTheTextIsOneWellFormedArray) {
  for (const char* text :
       {"", "a", "[", "[\"a\"", "[\"a\",]", "[,]", "['a']", "[\"a\"] b", "[a]", "[\"\\x\"]", "[\"a\nb\"]",
        "[01]", "[1.]", "[tru]", "{\"a\":1}", "[{\"a\"}]", "[{1:2}]", "[1e999]", "[\"\\u12g4\"]"}) {
    EXPECT_FALSE(parse_json_words(text)) << text;
  }
}

TEST(JsonWords, MayNotBeAnythingButStrings) {
  for (const char* text : {"[1]", "[\"a\", 1]", "[null]", "[true, \"a\"]", "[[\"a\"]]", "[{}]", "[-1.5e+3]",
                           "[{\"a\": [1, {}]}]"}) {
    EXPECT_EQ(error_of([&] { parse_json_words(text); }),
              "when using JSON array syntax, arrays must be comprised of strings only")
        << text;
  }
}

TEST(JsonWords, NeedNoStackForDeepNesting) {
  EXPECT_FALSE(parse_json_words(std::string(1000000, '[')));
  EXPECT_FALSE(parse_json_words(std::string(10001, '[') + std::string(10001, ']')));
}

TEST(Csv, SplitsAtCommasOutsideQuotes) {
  EXPECT_EQ(split_csv("a=b,c,"), (Words{"a=b", "c", ""}));
  EXPECT_EQ(split_csv("\"a,b\",\"c\"\"d\""), (Words{"a,b", "c\"d"}));
  EXPECT_EQ(split_csv("a\n"), (Words{"a"}));
}

TEST(Csv, RefusesWhatGoRefuses) {
  EXPECT_EQ(error_of([] { split_csv(""); }), "EOF");
  EXPECT_EQ(error_of([] { split_csv("ab\"c"); }),
            "parse error on line 1, column 3: bare \" in non-quoted-field");
  EXPECT_EQ(error_of([] { split_csv("\"a"); }),
            "parse error on line 1, column 2: extraneous or missing \" in quoted-field");
  EXPECT_EQ(error_of([] { split_csv("\"a\"b"); }),
            "parse error on line 1, column 3: extraneous or missing \" in quoted-field");
}

}  // namespace
