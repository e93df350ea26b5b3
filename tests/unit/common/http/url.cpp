#include "common/http/url.hpp"

#include <gtest/gtest.h>

#include "common/util/error.hpp"

namespace http {
namespace {

TEST(Url, KnowsItsPartsAndTheDefaultPort) {
  const auto url = Url::parse("HTTPS://Registry.Example.com/v2/a?x=1");
  EXPECT_EQ(url.scheme(), "https");
  EXPECT_EQ(url.host(), "registry.example.com");
  EXPECT_EQ(url.port(), "443");
  EXPECT_EQ(Url::parse("http://[::1]:5000/").host(), "[::1]");
  EXPECT_EQ(Url::parse("http://a:5000").port(), "5000");
}

TEST(Url, RefusesWhatIsNoAbsoluteHttpUrl) {
  for (const auto* text : {"", "/v2/", "example.com/x", "ftp://example.com/", "file:///etc/passwd", "http://",
                           "http://a b/", "http://a/\r\nX: y", "http://a:99999/"}) {
    EXPECT_THROW(Url::parse(text), util::Error) << text;
  }
}

TEST(Url, NeverShowsWhatMayBeASecret) {
  EXPECT_EQ(Url::parse("https://user:word@example.com/a?sig=word#word").display(), "https://example.com/a");
  EXPECT_EQ(Url::parse("https://example.com:8443/").display(), "https://example.com:8443/");
  try {
    Url::parse("https://user:word@exa mple.com/?word");
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_EQ(std::string(error.what()).find("word"), std::string::npos) << error.what();
  }
}

TEST(Url, ResolvesALocation) {
  const auto base = Url::parse("https://a.example:444/v2/x/blobs/y?z=1");
  EXPECT_EQ(base.resolve("https://b.example/p?q=%2F").str(), "https://b.example/p?q=%2F");
  EXPECT_EQ(base.resolve("/other").str(), "https://a.example:444/other");
  EXPECT_EQ(base.resolve("sibling").str(), "https://a.example:444/v2/x/blobs/sibling");
  EXPECT_EQ(base.resolve("//c.example/p").str(), "https://c.example/p");
  EXPECT_THROW(base.resolve("ftp://b.example/"), util::Error);
}

TEST(Url, IsOfTheSameOriginOnlyWithTheSameSchemeHostAndPort) {
  const auto url = Url::parse("https://a.example/x");
  EXPECT_TRUE(url.same_origin(Url::parse("https://A.example:443/y")));
  EXPECT_FALSE(url.same_origin(Url::parse("http://a.example/x")));
  EXPECT_FALSE(url.same_origin(Url::parse("https://a.example:444/x")));
  EXPECT_FALSE(url.same_origin(Url::parse("https://b.a.example/x")));
}

TEST(Url, TellsTheMachineItself) {
  EXPECT_TRUE(Url::parse("http://localhost:5000/").is_loopback());
  EXPECT_TRUE(Url::parse("http://127.1.2.3/").is_loopback());
  EXPECT_TRUE(Url::parse("http://[::1]/").is_loopback());
  EXPECT_FALSE(Url::parse("http://127.example.com/").is_loopback());
  EXPECT_FALSE(Url::parse("http://localhost.example.com/").is_loopback());
}

TEST(Url, TakesParameters) {
  const auto url =
      Url::parse("https://a.example/token?x=1").with_parameter("scope", "repository:a/b:pull c&d");
  EXPECT_EQ(url.str(), "https://a.example/token?x=1&scope=repository%3aa%2fb%3apull%20c%26d");
}

}  // namespace
}  // namespace http
