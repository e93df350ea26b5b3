// Splitting, trimming, quoting, numbers, near names.
#include "common/util/text.hpp"

#include <gtest/gtest.h>

namespace {

using Strings = std::vector<std::string>;

TEST(Split, KeepsEmptyPieces) {
  EXPECT_EQ(util::split("a,,b", ','), (Strings{"a", "", "b"}));
  EXPECT_EQ(util::split("", ','), Strings{""});
  EXPECT_EQ(util::split(",", ','), (Strings{"", ""}));
}

TEST(Trim, TakesBlanksOffBothEnds) {
  EXPECT_EQ(util::trim(" \t\r\n\v\fa b \n"), "a b");
  EXPECT_EQ(util::trim(" \n"), "");
  EXPECT_EQ(util::trim(""), "");
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(util::join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(util::join({}, ", "), "");
}

TEST(Escape, LeavesNothingThatMovesACursor) {
  EXPECT_EQ(util::escape("a\nb\tc\rd\\e"), "a\\nb\\tc\\rd\\\\e");
  EXPECT_EQ(util::escape(std::string_view("\0\x1b[2J\x7f", 6)), "\\x00\\x1b[2J\\x7f");
  EXPECT_EQ(util::escape("\xc2\x9b"), "\\xc2\\x9b") << "CSI as one character";
}

TEST(Escape, KeepsUtf8AndShowsWhatIsNone) {
  EXPECT_EQ(util::escape("h\xc3\xa9llo \xf0\x9f\x90\xb3"), "h\xc3\xa9llo \xf0\x9f\x90\xb3");
  EXPECT_EQ(util::escape("\xff\xc3"), "\\xff\\xc3");
}

TEST(Escape, ShowsNoMoreThanTheLimit) {
  EXPECT_EQ(util::escape("abcdef", 3), "abc...");
  EXPECT_EQ(util::escape("abc", 3), "abc");
}

TEST(Quote, PutsQuotesAround) {
  EXPECT_EQ(util::quote("a\nb"), "'a\\nb'");
}

TEST(IsUtf8, AcceptsWellFormedSequencesAlone) {
  for (const auto* text : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(util::is_utf8(text)) << util::escape(text);
  }
  for (const auto* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xff"}) {
    EXPECT_FALSE(util::is_utf8(text)) << util::escape(text);
  }
}

TEST(ParseUint, TakesDigitsAlone) {
  EXPECT_EQ(util::parse_uint("0"), 0U);
  EXPECT_EQ(util::parse_uint("18446744073709551615"), UINT64_MAX);
  for (const auto* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(util::parse_uint(text), std::nullopt) << text;
  }
}

TEST(Nearest, FindsTheNameThatWasMeant) {
  const Strings names = {"BUILD_ARGS_FILE", "UNPACK_ROOTFS", "CONTEXT", "TARGET"};
  EXPECT_EQ(util::nearest("BUILD_ARGS_FLIE", names), "BUILD_ARGS_FILE");
  EXPECT_EQ(util::nearest("UNPACK_ROOTF", names), "UNPACK_ROOTFS");
  EXPECT_EQ(util::nearest("TARGETS", names), "TARGET");
  EXPECT_EQ(util::nearest("SOMETHING_ELSE", names), std::nullopt);
  EXPECT_EQ(util::nearest("", names), std::nullopt);
  EXPECT_EQ(util::nearest("X", {}), std::nullopt);
}

TEST(HumanSize, HasOneDecimalInBinaryUnits) {
  EXPECT_EQ(util::human_size(0), "0 B");
  EXPECT_EQ(util::human_size(1023), "1023 B");
  EXPECT_EQ(util::human_size(1024), "1.0 KiB");
  EXPECT_EQ(util::human_size(1'500'000), "1.4 MiB");
  EXPECT_EQ(util::human_size((1ULL << 20) - 1), "1.0 MiB");
  EXPECT_EQ(util::human_size(UINT64_MAX), "16.0 EiB");
}

TEST(Fixed, RoundsToTheLastDecimalAndTakesAnyNumber) {
  EXPECT_EQ(util::fixed(0.25, 2), "0.25");
  EXPECT_EQ(util::fixed(1.06, 1), "1.1");
  EXPECT_EQ(util::fixed(3, 0), "3");
  EXPECT_EQ(util::fixed(1e308, 3).size(), 313U);
}

}  // namespace
