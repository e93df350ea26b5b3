#include "common/display/terminal_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using display::printable;
using display::shortened;
using display::width;

TEST(TerminalText, CountsColumnsAsTerminalsDo) {
  EXPECT_EQ(width("make"), 4U);
  EXPECT_EQ(width("caf\u00e9"), 4U);
  EXPECT_EQ(width("cafe\u0301"), 4U);  // an accent that stands on the letter before it
  EXPECT_EQ(width("\u6f22\u5b57"), 4U);
  EXPECT_EQ(width("\uff21"), 2U);
  EXPECT_EQ(width("\ud55c"), 2U);
  EXPECT_EQ(width("\U0001f680"), 2U);
  EXPECT_EQ(width("a\u200db"), 2U);
  EXPECT_EQ(width(""), 0U);
}

TEST(TerminalText, TakesCharactersThatAreNotAssignedForNarrowOutsideOfHanAndEmoji) {
  EXPECT_EQ(width("\u0378"), 1U);
  EXPECT_EQ(width("\u0590"), 1U);
  EXPECT_EQ(width("\U000effff"), 1U);
  EXPECT_EQ(width("\U0001fae8"), 2U);  // an emoji of Unicode 15
  EXPECT_EQ(width("\U0002fff0"), 2U);
}

TEST(TerminalText, LeavesOutWhatATerminalWouldObey) {
  const std::pair<std::string, std::string> texts[] = {
      {"\x1b[31mred\x1b[0m", "red"},
      {"\x1b[2J\x1b[Hgone", "gone"},
      {"\x1b]0;title\atext", "text"},
      {"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
      {"\x1bPq#0\x1b\\sixel", "sixel"},
      {"\x1b(Bset", "set"},
      {"\x1b"
       "7saved\x1b"
       "8",
       "saved"},
      {"\x1b"
       "c\x1b=reset",
       "reset"},
      {"unfinished \x1b[3", "unfinished "},
      {"unfinished \x1b]0;tit", "unfinished "},
      {"unfinished \x1b", "unfinished "},
      {std::string("a\0b\x07\x08\x7f", 6), "ab"},
      {"c1 \xc2\x9b"
       "31m",
       "c1 31m"},
      {"\xe2\x80\xae"
       "drow\xe2\x81\xa6",
       "drow"},
      {"line\xe2\x80\xa8"
       "separator",
       "lineseparator"},
      {"\x1b\x1b[2Jtwice", "twice"},
      {"\x1b[\x1b[2Jnested", "nested"},
      {"\x1b]0;a\x1b[2Jb", "b"},
  };
  for (const auto& [text, shown] : texts)
    EXPECT_EQ(printable(text), shown) << text;
}

TEST(TerminalText, ObeysNothingWhateverTheBytesAre) {
  // Every pair and, of what begins sequences, every triple of bytes.
  std::string all;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b)
      all += {static_cast<char>(a), static_cast<char>(b)};
  }
  for (int b = 0; b < 256; ++b)
    all += {'\x1b', static_cast<char>(b), '\x1b', '[', static_cast<char>(b)};
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const auto shown = printable(all.substr(offset));
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const auto byte = static_cast<unsigned char>(shown[i]);
      ASSERT_TRUE(byte >= 0x20 && byte != 0x7F);
      ASSERT_FALSE(byte == 0xC2 && static_cast<unsigned char>(shown[i + 1]) < 0xA0);
    }
    EXPECT_EQ(printable(shown), shown);
  }
}

TEST(TerminalText, ShowsTabsAsBlanksAndWhatIsNoTextAsReplacement) {
  EXPECT_EQ(printable("a\tb"), "a       b");
  EXPECT_EQ(printable("\u6f22\u5b57\tb"), "\u6f22\u5b57    b");
  EXPECT_EQ(printable("\xff\xc3(\xe2\x82"), "\ufffd\ufffd(\ufffd\ufffd");
  EXPECT_EQ(printable("\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80"),
            "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd");
}

TEST(TerminalText, IsCutAtAColumnAndNotInsideACharacter) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("\u6f22\u5b57\u6f22\u5b57", 6), "\u6f22...");
  EXPECT_EQ(width(shortened("\u6f22\u5b57\u6f22\u5b57", 7)), 7U);
  EXPECT_EQ(shortened("abcdef", 2), "ab");
  EXPECT_EQ(shortened("\u6f22\u5b57", 1), "");
  EXPECT_EQ(shortened("cafe\u0301s", 5), "cafe\u0301s");
}

}  // namespace
