// What the tests of the output share: images of small layers in files.
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/output/assemble.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace test {

class Images {
public:
  std::filesystem::path directory() const { return directory_.path(); }

  // A layer whose blob is `content`; that it is no tar does not matter to writers.
  output::LayerFile layer(const std::string& content) {
    const auto file = directory() / ("layer-" + std::to_string(count_++));
    sys::write_file(file, content, 0600);
    files_.emplace(hash::sha256(content), file);
    return {
        .descriptor = {std::string(image::media_type::oci_layer_gzip), hash::sha256(content), content.size()},
        .diff_id = hash::sha256("unpacked " + content),
        .open = [file] {
          sys::UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
          if (!fd) util::throw_errno("cannot open " + file.string());
          return fd;
        }};
  }

  std::filesystem::path file_of(const output::LayerFile& layer) const {
    return files_.at(layer.descriptor.digest);
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
  std::map<hash::Digest, std::filesystem::path> files_;
  int count_ = 0;
};

}  // namespace test
