// Text: code points, Go's quoting, suggestions.
#include "common/dockerfile/text.hpp"

#include <gtest/gtest.h>

namespace {

using namespace dockerfile;

TEST(Text, DecodesAndEncodesUtf8) {
  EXPECT_EQ(decode("aé日😀"), U"aé日😀");
  EXPECT_EQ(encode(U"aé日😀"), "aé日😀");
}

TEST(Text, TakesBytesThatAreNotUtf8OneByOne) {
  EXPECT_EQ(decode("a\xff\xc3"), U"a\uFFFD\uFFFD");
  EXPECT_EQ(decode("\xe6\x97"), U"\uFFFD\uFFFD");    // cut short
  EXPECT_EQ(decode("\xc0\x80"), U"\uFFFD\uFFFD");    // overlong
  EXPECT_EQ(decode("\xed\xa0\x80").size(), 3U);      // a surrogate
  EXPECT_EQ(decode("\xf4\x90\x80\x80").size(), 4U);  // beyond U+10FFFF
  EXPECT_EQ(encode(std::u32string(1, 0xD800)), "\uFFFD");
}

TEST(Text, KnowsTheClassesOfCharacters) {
  for (const char32_t space : std::u32string(U" \t\n\v\f\r\u0085\u00A0\u2003\u3000")) {
    EXPECT_TRUE(is_space(space)) << static_cast<unsigned>(space);
  }
  EXPECT_FALSE(is_space(U'\u200B'));
  EXPECT_TRUE(is_letter(U'é'));
  EXPECT_TRUE(is_letter(U'日'));
  EXPECT_FALSE(is_letter(U'，'));
  EXPECT_FALSE(is_letter(U'_'));
  EXPECT_TRUE(is_digit(U'٣'));
  EXPECT_FALSE(is_digit(U'²'));
  EXPECT_TRUE(is_printable(U'😀'));
  EXPECT_FALSE(is_printable(U'\u200B'));
  EXPECT_FALSE(is_printable(U'\u00A0'));
  EXPECT_FALSE(is_printable(U'\x7F'));
}

TEST(Text, TrimsWhiteSpaceOfAnyScript) {
  EXPECT_EQ(trim_space("\u00A0\t a b \u3000\n"), "a b");
  EXPECT_EQ(trim_space(" \t "), "");
  EXPECT_EQ(trim_space("\xff \xff"), "\xff \xff");
}

TEST(Text, QuotesAsGoDoes) {
  EXPECT_EQ(in_quotes("a\"b\\c\n\t\r\a\b\f\v"), R"("a\"b\\c\n\t\r\a\b\f\v")");
  EXPECT_EQ(in_quotes(std::string("\0\x1b\x7f\xff", 4)), R"("\x00\x1b\x7f\xff")");
  EXPECT_EQ(in_quotes("é日😀\u200b\u00ad\U000E0001"), "\"é日😀\\u200b\\u00ad\\U000e0001\"");
  EXPECT_EQ(words_in_quotes({"/bin/sh", "-c", "a b"}), R"(["/bin/sh" "-c" "a b"])");
  EXPECT_EQ(words_in_quotes({}), "[]");
  EXPECT_EQ(plain_list({"a b", "c"}), "[a b c]");
}

TEST(Text, SuggestsWhatIsLessThanThreeEditsAway) {
  EXPECT_EQ(suggestion("targt", {"type", "target"}), "target");
  EXPECT_EQ(suggestion("RUUN", {"RUN", "FROM"}, Case::insensitive), "RUN");
  EXPECT_EQ(suggestion("cpoy", {"COPY"}, Case::insensitive), "copy");
  EXPECT_EQ(suggestion("Ruun", {"RUN"}, Case::insensitive), "run");
  EXPECT_EQ(suggestion("abcdef", {"xyz"}), "");
  EXPECT_EQ(suggestion("type", {"type", "typo"}), "");
  EXPECT_EQ(suggestion("名前です", {"名前"}), "名前");  // characters count, not bytes
  EXPECT_EQ(did_you_mean("chwon", {"chown"}), " (did you mean chown?)");
  EXPECT_EQ(did_you_mean("chwon", {"exclude"}), "");
}

}  // namespace
