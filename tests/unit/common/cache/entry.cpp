// Entries in buildctl's words.
#include "common/cache/entry.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace cache {
namespace {

using test::error_of;

Entry parse_entry(const std::string& text, Direction direction) {
  return entry_of(document::CacheEntry::parse(text, direction), direction);
}

std::optional<std::string> left_out(const std::string& text) {
  return left_out_of(document::CacheEntry::parse(text, Direction::to));
}

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

TEST(CacheEntry, ThatIsWrongIsOneClearError) {
  const auto to = [](const std::string& text) { return error_of([&] { parse_entry(text, Direction::to); }); };
  const auto from = [](const std::string& text) {
    return error_of([&] { parse_entry(text, Direction::from); });
  };
  EXPECT_EQ(to("type=local,dest=y,src=x"), "the attribute 'src' is unknown for a cache that is written");
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
}

TEST(CacheEntry, SaysWhatIsBuildKitsAlone) {
  EXPECT_EQ(left_out("type=s3,bucket=x,secret_access_key=y"), "type=s3");
  EXPECT_EQ(left_out("type=gha"), "type=gha");
  EXPECT_EQ(left_out("type=azblob,name=x"), "type=azblob");
  for (const auto* attribute : {"compression", "compression-level", "force-compression"})
    EXPECT_EQ(left_out(std::string("type=registry,ref=app,") + attribute + "=1"), attribute);
  for (const auto* attribute : {"oci-mediatypes=false", "image-manifest=0", "registry.insecure=true"})
    EXPECT_EQ(left_out(std::string("type=registry,ref=app,") + attribute), attribute);
  for (const auto* attribute : {"oci-mediatypes=true", "image-manifest=1", "registry.insecure=false"})
    EXPECT_EQ(left_out(std::string("type=registry,ref=app,") + attribute), std::nullopt);
  EXPECT_EQ(left_out("type=inline"), std::nullopt);
  EXPECT_EQ(left_out("type=registry,ref=app,mode=max"), std::nullopt);
}

}  // namespace
}  // namespace cache
