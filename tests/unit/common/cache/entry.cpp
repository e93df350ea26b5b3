// Entries in buildctl's words.
#include "common/cache/entry.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace cache {
namespace {

using test::error_of;

TEST(CacheEntry, OfARegistry) {
  const auto entry =
      parse_entry("type=registry,ref=registry.example/app,mode=max,ignore-error=false", Direction::to);
  EXPECT_EQ(entry.type, Type::registry);
  EXPECT_EQ(entry.reference->full(), "registry.example/app:latest");
  EXPECT_EQ(entry.mode, Mode::max);
  EXPECT_FALSE(entry.ignore_error);
  EXPECT_EQ(entry.name(), "registry.example/app:latest");
}

TEST(CacheEntry, HasTheLeastUnlessMoreIsAskedFor) {
  const auto entry = parse_entry("type=registry,ref=app:cache", Direction::to);
  EXPECT_EQ(entry.mode, Mode::min);
  EXPECT_TRUE(entry.ignore_error);
}

TEST(CacheEntry, OfADirectory) {
  const auto from = parse_entry("type=local,src=old cache,tag=main", Direction::from);
  EXPECT_EQ(from.directory, "old cache");
  EXPECT_EQ(from.tag, "main");
  EXPECT_EQ(parse_entry("type=local,dest=new", Direction::to).directory, "new");
}

TEST(CacheEntry, OfTheImageItself) {
  const auto entry = parse_entry("type=inline,mode=min,ignore-error=false", Direction::to);
  EXPECT_EQ(entry.type, Type::in_image);
  EXPECT_EQ(entry.name(), "the image");
}

// What BuildKit knows is honoured, left to it by name (SaysWhatIsBuildKitsAlone) or refused.
TEST(CacheEntry, MayAskForTheManifestThatItGets) {
  for (const auto* text :
       {"type=registry,ref=app,oci-mediatypes=true,image-manifest=true,registry.insecure=false",
        "type=local,dest=d,oci-mediatypes=true,image-manifest=true"})
    EXPECT_EQ(error_of([&] { parse_entry(text, Direction::to); }), "no error");
  EXPECT_EQ(error_of([] { parse_entry("type=registry,ref=app,registry.insecure=0", Direction::from); }),
            "no error");
}

TEST(CacheEntry, MayBeQuotedAsCsv) {
  EXPECT_EQ(parse_entry(R"(type=local,"src=a,b ""c""")", Direction::from).directory, "a,b \"c\"");
}

TEST(CacheEntry, ThatIsWrongIsOneClearError) {
  const auto to = [](const std::string& text) { return error_of([&] { parse_entry(text, Direction::to); }); };
  const auto from = [](const std::string& text) {
    return error_of([&] { parse_entry(text, Direction::from); });
  };
  EXPECT_EQ(to("registry"), "a part of the entry is no NAME=VALUE");
  EXPECT_EQ(to("ref=app"), "the attribute 'type' is missing");
  EXPECT_EQ(to("type=tape"), "'type' is 'tape', not one of 'registry', 'local', 'inline'");
  EXPECT_EQ(to("type=registry"), "the attribute 'ref' is missing");
  EXPECT_EQ(to("type=registry,ref=A B"), "'ref' is 'A B', which is no name of an image");
  EXPECT_EQ(to("type=local,src=x"), "the attribute 'src' is unknown for a cache that is written");
  EXPECT_EQ(to("type=registry,ref=app,mdoe=max"),
            "the attribute 'mdoe' is unknown for a cache that is written; did you mean 'mode'?");
  EXPECT_EQ(from("type=registry,ref=app,mode=max"),
            "the attribute 'mode' is unknown for a cache that is read");
  EXPECT_EQ(to("type=registry,ref=app,mode=all"), "'mode' is 'all', not one of 'min', 'max'");
  EXPECT_EQ(to("type=registry,ref=app,ignore-error=maybe"),
            "'ignore-error' is 'maybe', not 'true' or 'false'");
  EXPECT_EQ(to("type=registry,ref=app@sha256:" + std::string(64, 'a')),
            "'ref' has a digest, which nobody can write to; give a tag");
  EXPECT_EQ(to("type=registry,ref=app,image-manifest=maybe"),
            "'image-manifest' is 'maybe', not 'true' or 'false'");
  EXPECT_EQ(to("type=inline,mode=max"),
            "'mode' is 'max', but an image holds no layers but its own: use type=registry");
  EXPECT_EQ(to("type=inline,ref=app"), "the attribute 'ref' is unknown for a cache that is written");
  EXPECT_EQ(from("type=inline"),
            "'type' is 'inline', which is how to write: read it by type=registry,ref=IMAGE");
  EXPECT_EQ(to("type=registry,\"ref=app"), "a quote is not closed");
}

TEST(CacheEntry, SaysWhatIsBuildKitsAlone) {
  EXPECT_EQ(left_out_of("type=s3,bucket=x,secret_access_key=y"), "type=s3");
  EXPECT_EQ(left_out_of("type=gha"), "type=gha");
  EXPECT_EQ(left_out_of("type=azblob,name=x"), "type=azblob");
  for (const auto* attribute : {"compression", "compression-level", "force-compression"})
    EXPECT_EQ(left_out_of(std::string("type=registry,ref=app,") + attribute + "=1"), attribute);
  for (const auto* attribute : {"oci-mediatypes=false", "image-manifest=0", "registry.insecure=true"})
    EXPECT_EQ(left_out_of(std::string("type=registry,ref=app,") + attribute), attribute);
  for (const auto* attribute : {"oci-mediatypes=true", "image-manifest=1", "registry.insecure=false"})
    EXPECT_EQ(left_out_of(std::string("type=registry,ref=app,") + attribute), std::nullopt);
  EXPECT_EQ(left_out_of("type=inline"), std::nullopt);
  EXPECT_EQ(left_out_of("type=registry,ref=app,mode=max"), std::nullopt);
  EXPECT_EQ(left_out_of("type=tape"), std::nullopt);
  EXPECT_EQ(left_out_of("\"type"), std::nullopt);
}

}  // namespace
}  // namespace cache
