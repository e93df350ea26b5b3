#include "common/cache/foreign_layer.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"
#include "tests/unit/common/cache/example_records.hpp"

namespace cache {
namespace {

using test::error_of;

store::Step checked(const store::Step& step, const std::string& blob, const Expansion& expansion = {}) {
  return checked_layer(step, stream::from_string(blob), {}, expansion);
}

TEST(ForeignLayer, IsTakenAsItIs) {
  EXPECT_EQ(checked(step_of("make", "made"), layer_of("made")), step_of("make", "made"));
}

TEST(ForeignLayer, RemovesFilesIfItsBytesSaySo) {
  for (const auto* name : {".wh.made", "below/.wh.made", "./.wh..wh..opq"})
    EXPECT_TRUE(checked(step_of("make", name), layer_of(name)).removes) << name;
  auto step = step_of("make", "made");
  step.removes = true;
  EXPECT_FALSE(checked(step, layer_of("made")).removes);
}

TEST(ForeignLayer, IsAnArchive) {
  for (const auto& bytes : {std::string("text"), std::string(4096, 'x'), layer_of("made").substr(0, 100)}) {
    auto step = step_of("make", "made");
    step.diff_id = hash::sha256(bytes);
    EXPECT_NE(error_of([&] { checked(step, bytes); }), "no error") << bytes.substr(0, 10);
  }
}

TEST(ForeignLayer, HasTheDiffIdOfItsRecord) {
  EXPECT_NE(error_of([&] { checked(step_of("make", "made"), layer_of("other")); }), "no error");
}

// Whoever pulls the image goes by the type.
TEST(ForeignLayer, IsCompressedAsItsTypeSays) {
  for (const auto* compression : {"+gzip", "+zstd"}) {
    auto step = step_of("make", "made");
    step.media_type += compression;
    EXPECT_NE(error_of([&] { checked(step, layer_of("made")); }), "no error") << compression;
  }
}

TEST(ForeignLayer, IsReadNoFurtherThanInProportionToItsBlob) {
  const auto layer = layer_of("made") + std::string(1 << 20, '\0');  // of which few bytes can be made
  auto step = step_of("make", "made");
  step.diff_id = hash::sha256(layer);
  step.blob.size = 1000;
  EXPECT_EQ(error_of([&] { checked(step, layer, {.always = 1000, .factor = 2000}); }), "no error");
  EXPECT_EQ(error_of([&] { checked(step, layer, {.always = 1000, .factor = 100}); }),
            "it unpacks to more than 98.6 KiB");
}

}  // namespace
}  // namespace cache
