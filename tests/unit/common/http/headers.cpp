#include "common/http/headers.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;

TEST(Headers, FindsAFieldWhateverTheCaseOfItsName) {
  Headers headers;
  headers.add("Docker-Content-DIGEST", "  sha256:x \r\n");
  EXPECT_EQ(headers.find("docker-content-digest"), "sha256:x");
  EXPECT_EQ(headers.find("docker"), std::nullopt);
}

TEST(Challenges, ReadWhatRegistriesSend) {
  const auto challenges = parse_challenges(
      R"(Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull,push")");
  ASSERT_EQ(challenges.size(), 1);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].parameters.at("realm"), "https://auth.example.com/token");
  EXPECT_EQ(challenges[0].parameters.at("service"), "registry.example.com");
  EXPECT_EQ(challenges[0].parameters.at("scope"), "repository:a/b:pull,push");
}

TEST(Challenges, ReadSeveralInOneField) {
  const auto challenges = parse_challenges("Negotiate, Basic realm=\"a \\\"b\\\"\" , BEARER Realm = x");
  ASSERT_EQ(challenges.size(), 3);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[1].scheme, "basic");
  EXPECT_EQ(challenges[1].parameters.at("realm"), "a \"b\"");
  EXPECT_EQ(challenges[2].scheme, "bearer");
  EXPECT_EQ(challenges[2].parameters.at("realm"), "x");
}

TEST(Challenges, TakeAnUnquotedUrlAsRealm) {
  const auto challenges = parse_challenges("Bearer realm=https://a.example/t?x=1,service=s");
  ASSERT_EQ(challenges.size(), 1);
  EXPECT_EQ(challenges[0].parameters.at("realm"), "https://a.example/t?x=1");
  EXPECT_EQ(challenges[0].parameters.at("service"), "s");
}

TEST(Challenges, PassOverWhatCannotBeOne) {
  for (const auto* value : {"", " , ,", "=", "\"", "realm=\"x\"", "\x01\xff"}) {
    EXPECT_TRUE(parse_challenges(value).empty()) << value;
  }
  EXPECT_EQ(parse_challenges("Basic realm=\"open").at(0).parameters.at("realm"), "open");
}

TEST(RetryAfter, IsSecondsOrADate) {
  const auto now = std::chrono::system_clock::from_time_t(1700000000);  // Tue, 14 Nov 2023 22:13:20 GMT
  EXPECT_EQ(parse_retry_after("7", now), 7s);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:13:50 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:13:00 GMT", now), 0s);
  EXPECT_EQ(parse_retry_after("", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
  EXPECT_GT(parse_retry_after("18446744073709551615", now), 24h);
}

TEST(ContentRange, GivesItsFirstByte) {
  EXPECT_EQ(parse_content_range_start("bytes 7-41/42"), 7);
  EXPECT_EQ(parse_content_range_start("Bytes 0-0/*"), 0);
  EXPECT_EQ(parse_content_range_start("bytes */42"), std::nullopt);
  EXPECT_EQ(parse_content_range_start("byte"), std::nullopt);
  EXPECT_EQ(parse_content_range_start(""), std::nullopt);
}

}  // namespace
}  // namespace http
