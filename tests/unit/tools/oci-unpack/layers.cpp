// Layers beside a history that does not fit them.
#include "tools/oci-unpack/layers.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/hash/sha256.hpp"

namespace {

image::Image image_with_history(const std::string& history) {
  image::Image image{std::nullopt, hash::sha256("config"), R"({"history":)" + history + "}", {}, {}};
  for (const auto* name : {"a", "b"}) {
    image.layers.push_back({"type", hash::sha256(name), 7});
    image.config.diff_ids.push_back(hash::sha256(std::string(name) + "unpacked"));
  }
  return image;
}

TEST(Layers, OfAHistoryThatTellsOfFewerAreListedWithoutIt) {
  const auto image = image_with_history(R"([{"created_by":"COPY a"}])");
  const auto json = nlohmann::json::parse(oci_unpack::layers_to_json(image));
  EXPECT_EQ(json["history"].dump(), R"([{"created":null,"created_by":null,"layer":1},)"
                                    R"({"created":null,"created_by":null,"layer":2}])");
  EXPECT_EQ(json["manifest"], nullptr);
  EXPECT_EQ(json["layers"].size(), 2U);
}

TEST(Layers, ShowWhatMadeThemOnOneLine) {
  const auto text = oci_unpack::list_layers(
      image_with_history(R"([{"created_by":"RUN a\nb\u001b[1m"},{"created_by":"COPY b"}])"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
