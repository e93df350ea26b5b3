// What the tests of the output share: images of small layers in files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/output/assemble.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace test {

class Images {
public:
  std::filesystem::path directory() const { return directory_.path(); }

  // A layer whose blob is `content`; that it is no tar does not matter to writers.
  output::LayerFile layer(const std::string& content) {
    const auto file = directory() / ("layer-" + std::to_string(count_++));
    sys::write_file(file, content, 0600);
    return {
        .descriptor = {std::string(image::media_type::oci_layer_gzip), hash::sha256(content), content.size()},
        .diff_id = hash::sha256("unpacked " + content),
        .file = file};
  }

  // An image of base layers alone.
  output::Image image(const std::vector<output::LayerFile>& layers,
                      const std::string& architecture = "amd64") {
    plan::ImageRecipe recipe;
    recipe.platform = {.os = "linux", .architecture = architecture, .variant = ""};
    recipe.config = plan::ImageConfig::scratch(recipe.platform);
    return output::assemble(recipe, output::Base{.config_json = "{}", .layers = layers}, {}, 0);
  }

private:
  sys::TempDir directory_{sys::scratch_directory()};
  int count_ = 0;
};

}  // namespace test
