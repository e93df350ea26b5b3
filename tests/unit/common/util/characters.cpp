// Classes of characters.
#include "common/util/characters.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Characters, AreClassedWhateverTheirSign) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool small = byte >= 'a' && byte <= 'z';
    const bool capital = byte >= 'A' && byte <= 'Z';
    const bool digit = byte >= '0' && byte <= '9';
    EXPECT_EQ(util::is_alnum(c), small || capital || digit) << byte;
    EXPECT_EQ(util::is_hex_digit(c), digit || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'))
        << byte;
    EXPECT_EQ(util::to_lower(c), capital ? static_cast<char>(byte + 32) : c) << byte;
  }
}

}  // namespace
