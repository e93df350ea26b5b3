// UTF-8, one character at a time.
#include "common/util/utf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "common/util/text.hpp"

namespace {

// What the Unicode Standard's table 3-6 makes of a scalar value.
std::string encoded(char32_t value) {
  const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  if (value < 0x80) return {byte(value)};
  if (value < 0x800) return {byte(0xC0 | value >> 6), byte(0x80 | (value & 0x3F))};
  if (value < 0x10000)
    return {byte(0xE0 | value >> 12), byte(0x80 | (value >> 6 & 0x3F)), byte(0x80 | (value & 0x3F))};
  return {byte(0xF0 | value >> 18), byte(0x80 | (value >> 12 & 0x3F)), byte(0x80 | (value >> 6 & 0x3F)),
          byte(0x80 | (value & 0x3F))};
}

TEST(Utf8, TellsEveryCodePointAndNoSurrogate) {
  for (char32_t value = 0; value < 0x110000; ++value) {
    const auto text = encoded(value);
    const auto point = util::first_code_point(text + "\x80");
    const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
    ASSERT_EQ(util::is_scalar(value), !is_surrogate) << static_cast<std::uint32_t>(value);
    ASSERT_EQ(point.valid, !is_surrogate) << static_cast<std::uint32_t>(value);
    ASSERT_EQ(point.value, is_surrogate ? util::replacement : value);
    ASSERT_EQ(point.size, is_surrogate ? 1 : text.size()) << static_cast<std::uint32_t>(value);
    ASSERT_EQ(util::is_utf8(text), !is_surrogate) << static_cast<std::uint32_t>(value);
  }
}

TEST(Utf8, TakesWhatIsNoneForOneByte) {
  for (const std::string text : {
           "\x80",              // a continuation without a lead
           "\xC2",              // cut short
           "\xC2\x41",          // the lead of another
           "\xE6\x97",          // cut short
           "\xE6\x97\x41",      //
           "\xF0\x9F\x98",      // cut short
           "\xF0\x9F\x98\xC0",  //
           "\xC0\x80",          // overlong
           "\xC1\xBF",          // overlong
           "\xE0\x9F\xBF",      // overlong
           "\xF0\x8F\xBF\xBF",  // overlong
           "\xF4\x90\x80\x80",  // beyond U+10FFFF
           "\xF5\x80\x80\x80",  // beyond U+10FFFF
           "\xFF\xFF\xFF\xFF",  //
       }) {
    const auto point = util::first_code_point(text);
    EXPECT_FALSE(point.valid) << util::quote(text);
    EXPECT_EQ(point.value, util::replacement) << util::quote(text);
    EXPECT_EQ(point.size, 1U) << util::quote(text);
    EXPECT_FALSE(util::is_utf8(text)) << util::quote(text);
  }
}

}  // namespace
