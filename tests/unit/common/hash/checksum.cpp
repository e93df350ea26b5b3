// Checksums of every algorithm, against the vectors of FIPS 180-4 and the words of BuildKit.
#include "common/hash/checksum.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace {

std::string hash_of(hash::Algorithm algorithm, std::string_view text) {
  hash::Hasher hasher(algorithm);
  hasher.update(std::as_bytes(std::span(text)));
  return hasher.finish();
}

TEST(Hasher, GivesThePublishedVectors) {
  EXPECT_EQ(hash_of(hash::Algorithm::sha384, "abc"),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(hash_of(hash::Algorithm::sha512, "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Checksum, IsWrittenAsItWasRead) {
  for (const std::string& text : {"sha256:" + std::string(64, 'a'), "sha384:" + std::string(96, '0'),
                                  "sha512:" + std::string(128, 'f')}) {
    EXPECT_EQ(hash::Checksum::parse(text).str(), text);
  }
}

TEST(Checksum, IsRefusedInTheWordsOfBuildkit) {
  const auto error = [](const std::string& text) {
    return test::error_of([&] { hash::Checksum::parse(text); });
  };
  EXPECT_EQ(error(""), "invalid checksum digest format");
  EXPECT_EQ(error("sha256"), "invalid checksum digest format");
  EXPECT_EQ(error("sha256:"), "invalid checksum digest format");
  EXPECT_EQ(error(":abc"), "invalid checksum digest format");
  EXPECT_EQ(error("MD5:abc"), "invalid checksum digest format");
  EXPECT_EQ(error("md5:abc"), "unsupported digest algorithm");
  EXPECT_EQ(error("blake3+b64u.x:aB_="), "unsupported digest algorithm");
  EXPECT_EQ(error("md5..x:abc"), "invalid checksum digest format");
  EXPECT_EQ(error("md5-:abc"), "invalid checksum digest format");
  EXPECT_EQ(error("md5:a/c"), "invalid checksum digest format");
  EXPECT_EQ(error("sha512:" + std::string(64, 'a')), "invalid checksum digest length");
  EXPECT_EQ(error("sha256:" + std::string(64, 'A')), "invalid checksum digest format");
}

}  // namespace
