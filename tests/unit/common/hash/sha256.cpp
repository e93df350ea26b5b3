// SHA-256 against the vectors of FIPS 180-4.
#include "common/hash/sha256.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Sha256, GivesThePublishedVectors) {
  EXPECT_EQ(hash::sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash::sha256("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash::sha256(std::string(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TakesItsInputInPieces) {
  const std::string text(10'000, 'x');
  for (const std::size_t piece : {1U, 63U, 64U, 65U, 10'000U}) {
    hash::Sha256 sha;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      sha.update(std::as_bytes(std::span(text).subspan(at, std::min(piece, text.size() - at))));
    }
    EXPECT_EQ(sha.finish(), hash::sha256(text)) << piece;
  }
}

}  // namespace
