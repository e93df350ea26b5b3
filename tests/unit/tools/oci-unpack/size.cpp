#include "tools/oci-unpack/size.hpp"

#include <gtest/gtest.h>

#include "common/util/error.hpp"

using oci_unpack::parse_size;

TEST(ParseSize, TakesBytesAndPowersOf1024) {
  EXPECT_EQ(parse_size("1"), 1u);
  EXPECT_EQ(parse_size("12k"), 12u << 10);
  EXPECT_EQ(parse_size("500M"), 500u << 20);
  EXPECT_EQ(parse_size("10G"), 10ull << 30);
  EXPECT_EQ(parse_size("2T"), 2ull << 40);
  EXPECT_EQ(parse_size("18446744073709551615"), UINT64_MAX);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const auto text :
       {"", "0", "G", "-1", "1.5G", "1 G", "10GB", "x", "18446744073709551616", "99999999999T"}) {
    EXPECT_THROW(parse_size(text), util::Error) << text;
  }
}
