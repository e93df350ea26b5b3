// Entries in buildctl's words.
#include "common/document/cache_entry.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/error_of.hpp"

namespace {

using document::CacheEntry;
using document::CacheType;
using Direction = document::CacheDirection;

TEST(CacheEntry, KnowsTheTypesOfBuildKit) {
  const auto registry = CacheEntry::parse("type=registry,ref=app", Direction::from);
  EXPECT_EQ(registry.type, CacheType::registry);
  EXPECT_EQ(registry.reference->full(), "docker.io/library/app");
  EXPECT_EQ(CacheEntry::parse(R"(type=local,"src=a,b ""c""")", Direction::from).directory, "a,b \"c\"");
  EXPECT_EQ(CacheEntry::parse("type=inline", Direction::to).type, CacheType::in_image);
  const auto s3 = CacheEntry::parse("type=s3,secret_access_key=x=y", Direction::to);
  EXPECT_EQ(s3.type, CacheType::s3);
  EXPECT_EQ(s3.attributes.value("secret_access_key"), "x=y");
}

TEST(CacheEntry, IsHandedOnAsItIsWritten) {
  for (const auto* text : {"type=s3,bucket=b,mode=max", "type=local,\"dest=a,b\",mode=min,mode=max"})
    EXPECT_EQ(CacheEntry::parse(text, Direction::to).attributes.str(), text);
}

TEST(CacheEntry, TakesTheLastOfTwoValues) {
  EXPECT_EQ(CacheEntry::parse("type=local,dest=a,dest=b", Direction::to).directory, "b");
}

TEST(CacheEntry, ThatIsWrongIsOneErrorWithoutTheValuesOfKeys) {
  const auto error = [](const std::string& text, Direction direction) {
    return test::error_of([&] { CacheEntry::parse(text, direction); });
  };
  EXPECT_EQ(error("ref=app", Direction::to),
            "the entry names no type; write type=registry,ref=IMAGE or type=local,...");
  EXPECT_EQ(error("", Direction::to),
            "the entry names no type; write type=registry,ref=IMAGE or type=local,...");
  EXPECT_EQ(error("type=tape,secret=hunter2", Direction::to),
            "the type 'tape' is none of registry, local, inline, gha, s3, azblob");
  for (const auto* text : {"type=registry", "type=registry,ref="})
    EXPECT_EQ(error(text, Direction::to), "the entry of type registry names no image; add ref=IMAGE");
  EXPECT_EQ(error("type=registry,ref=A B", Direction::to), "'ref' is 'A B', which is no name of an image");
  EXPECT_EQ(error("type=local,dest=d", Direction::from),
            "the entry of type local names no directory; add src=DIRECTORY");
  EXPECT_EQ(error("type=inline", Direction::from),
            "a cache of type inline is read from its image; write type=registry,ref=IMAGE");
  EXPECT_EQ(error("type=registry,\"ref=app", Direction::to), "a quote is not closed");
}

}  // namespace
