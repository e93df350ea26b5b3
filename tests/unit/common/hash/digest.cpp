// Digests are well-formed or are not.
#include "common/hash/digest.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace {

using hash::Digest;
using test::error_of;

const std::string hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(Digest, HasATextAndItsHexDigits) {
  const auto digest = Digest::parse("sha256:" + hex);
  EXPECT_EQ(digest.str(), "sha256:" + hex);
  EXPECT_EQ(digest.hex(), hex);
  EXPECT_EQ(digest, Digest::from_hex(hex));
}

TEST(Digest, IsOrderedByItsText) {
  EXPECT_LT(Digest::from_hex(std::string(64, '0')), Digest::from_hex(std::string(64, '1')));
}

TEST(Digest, RefusesWhatIsNotExactlyOne) {
  for (const auto& text :
       {std::string(), std::string("sha256:"), hex, "sha256:" + hex + "0", "sha256:" + hex.substr(1),
        " sha256:" + hex, "sha256:" + hex + "\n", "SHA256:" + hex, "sha512:" + hex + hex}) {
    EXPECT_NE(error_of([&] { Digest::parse(text); }), "no error") << text;
  }
}

// Registries compare digests byte for byte, so upper case would never match.
TEST(Digest, RefusesUpperCaseHex) {
  EXPECT_EQ(error_of([] { Digest::parse("sha256:" + std::string(64, 'A')); }),
            "invalid digest 'sha256:" + std::string(64, 'A') + "': expected 64 lower-case hex digits");
}

TEST(Digest, RefusesPaths) {
  EXPECT_THROW(Digest::parse("sha256:../../../../etc/passwd"), util::Error);
  EXPECT_THROW(Digest::parse("sha256:" + hex.substr(0, 63) + "/"), util::Error);
}

}  // namespace
