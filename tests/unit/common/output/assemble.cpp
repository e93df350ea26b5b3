#include "common/output/assemble.hpp"

#include <gtest/gtest.h>

#include "common/output/documents.hpp"
#include "common/util/json.hpp"
#include "tests/support/error_of.hpp"
#include "tests/unit/common/output/images.hpp"

#include <nlohmann/json.hpp>

namespace output {
namespace {

solver::BuiltLayer built(const std::string& content, const util::Date& created) {
  const image::Descriptor blob{std::string(image::media_type::oci_layer_gzip), hash::sha256(content),
                               content.size()};
  return {.packed = {.diff_id = hash::sha256("unpacked " + content), .blob = blob},
          .open = {},
          .is_own = true,
          .created = created};
}

// "created" of each entry of the history.
std::vector<std::string> times_of(const Image& image) {
  std::vector<std::string> times;
  const auto config = util::parse_json(image.config_json, "config");
  for (const auto& entry : config["history"])
    times.push_back(entry.value("created", "none"));
  return times;
}

const util::Date first{.seconds = 1'600'000'000, .nanoseconds = 1'500'000};
const util::Date second{.seconds = 1'600'000'060};

plan::ImageRecipe recipe_of(std::vector<plan::HistoryEntry> history) {
  plan::ImageRecipe recipe;
  recipe.config.platform.architecture = "amd64";
  recipe.history = std::move(history);
  return recipe;
}

TEST(Assembly, GivesChangesOfTheConfigTheTimeOfTheLayerBefore) {
  const auto recipe = recipe_of({{"ENV a", {}}, {"COPY x", 3}, {"ENV b", {}}, {"RUN y", 5}, {"CMD z", {}}});
  const auto image = assemble(recipe, {}, {{3, built("x", first)}, {5, built("y", second)}}, {});
  const std::string early = "2020-09-13T12:26:40.0015Z";
  const std::string late = "2020-09-13T12:27:40Z";
  EXPECT_EQ(times_of(image), (std::vector<std::string>{early, early, early, late, late}));
}

TEST(Assembly, TakesTheEpochForAllThatIsNewAndLeavesTheBaseAsItWas) {
  test::Images images;
  const Base base{
      .config_json =
          R"({"history":[{"created":"2001-02-03T04:05:06Z","created_by":"old"},{"created":"2001-02-03T04:05:06Z","created_by":"older","empty_layer":true}]})",
      .layers = {images.layer("base")}};
  const auto image = assemble(recipe_of({{"COPY x", 3}, {"ENV b", {}}}), base, {{3, built("x", first)}}, 1);
  EXPECT_EQ(times_of(image), (std::vector<std::string>{"2001-02-03T04:05:06Z", "2001-02-03T04:05:06Z",
                                                       "1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z"}));
}

TEST(Assembly, NamesTheLayersThatNoHistoryTellsOf) {
  test::Images images;
  Base base{.name = "docker.io/library/base@sha256:1",
            .config_json = "{}",
            .layers = {images.layer("a"), images.layer("b")}};
  auto layer = built("x", first);
  layer.description = "[2/2] COPY x";
  const auto written = [&] {
    const auto image = assemble(recipe_of({{"COPY x", 3}}), base, {{3, layer}}, 1);
    const auto config = util::parse_json(image.config_json, "config");
    std::vector<std::string> names;
    for (const auto& entry : config["history"])
      names.push_back(entry["created_by"]);
    return names;
  };
  EXPECT_EQ(written(), (std::vector<std::string>{"COPY x", "pulled from docker.io/library/base@sha256:1",
                                                 "[2/2] COPY x"}));
  base.is_read = false;
  EXPECT_EQ(written(), (std::vector<std::string>{"COPY x", "created by buildkit", "[2/2] COPY x"}));
}

TEST(Assembly, RefusesAnImageWithoutAnArchitecture) {
  EXPECT_EQ(test::error_of([] { assemble({}, {}, {}, 1); }),
            "invalid image config for export: missing architecture");
}

TEST(Assembly, WritesTheLastTimeThatDatesCanSay) {
  const auto image = assemble(recipe_of({{"COPY x", 3}}), {}, {{3, built("x", first)}}, 253402300799);
  EXPECT_EQ(times_of(image), (std::vector<std::string>{"9999-12-31T23:59:59Z"}));
}

TEST(Assembly, PutsTheLayersOfTheBaseBelow) {
  test::Images images;
  const Base base{.config_json = R"({"history":[{"created_by":"old"}]})", .layers = {images.layer("base")}};
  const auto image = assemble(recipe_of({{"COPY x", 3}, {"ENV b", {}}}), base, {{3, built("x", first)}}, 0);
  ASSERT_EQ(image.layers.size(), 2U);
  EXPECT_EQ(image.layers[0].diff_id, hash::sha256("unpacked base"));
  EXPECT_TRUE(image.layers[1].is_own);
  const auto config = util::parse_json(image.config_json, "config");
  EXPECT_EQ(config["rootfs"]["diff_ids"].size(), 2U);
  EXPECT_FALSE(config["history"][1].contains("empty_layer"));
  EXPECT_TRUE(config["history"][2]["empty_layer"]);
}

TEST(Assembly, DescribesConfigAndManifestByTheirBytes) {
  test::Images images;
  const auto image = images.image({images.layer("a")}, "arm64");
  EXPECT_EQ(image.config.digest, hash::sha256(image.config_json));
  EXPECT_EQ(image.config.size, image.config_json.size());
  EXPECT_EQ(image.manifest.digest, hash::sha256(image.manifest_json));
  EXPECT_EQ(image.manifest.size, image.manifest_json.size());
  EXPECT_EQ(image.manifest.platform->str(), "linux/arm64");
}

// oci-digest and oci-unpack read no larger one.
TEST(Assembly, RefusesAConfigThatNobodyReads) {
  const auto recipe = recipe_of({{std::string(4 << 20, 'x'), {}}});
  EXPECT_EQ(test::error_of([&] { assemble(recipe, {}, {}, 1); }),
            "the image's config has 4.0 MiB, more than the 4.0 MiB that readers of images accept: use fewer "
            "instructions or shorter values");
}

TEST(ManifestDocument, IsIndentedAndInTheOrderOfGosStructs) {
  test::Images images;
  auto layer = images.layer("a");
  layer.descriptor.media_type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
  const image::Descriptor config{std::string(image::media_type::oci_config), hash::sha256("c"), 1};
  EXPECT_EQ(manifest_document(config, {layer}, {}), R"({
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": ")" + hash::sha256("c").str() + R"(",
    "size": 1
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
      "digest": ")" + hash::sha256("a").str() + R"(",
      "size": 1
    }
  ]
})");
}

}  // namespace
}  // namespace output
