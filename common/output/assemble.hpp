// Puts an image together: config, history and manifest over the layers of its base and its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/attest/statement.hpp"
#include "common/image/descriptor.hpp"
#include "common/plan/graph.hpp"
#include "common/solver/solve.hpp"
#include "common/sys/fd.hpp"

namespace output {

using Annotations = std::map<std::string, std::string>;

// A layer and the file that holds it.
struct LayerFile {
  image::Descriptor descriptor;
  hash::Digest diff_id;
  // For reading, one that is own also for writing. Not a path: the name of a blob in a cache may lead
  // elsewhere by the time it is used. Throws util::Error.
  std::function<sys::UniqueFd()> open;
  bool is_own = false;  // made by this build, not of the base
};

// What an image takes over from its base.
struct Base {
  std::string name = {};  // with its digest
  bool is_read = true;    // whether the plan has an op that reads or changes its files
  std::string config_json;
  std::vector<LayerFile> layers;
};

struct Image {
  image::Descriptor config;
  std::string config_json;
  image::Descriptor manifest;  // with the platform
  std::string manifest_json;
  std::vector<LayerFile> layers;
  Annotations annotations;  // of the manifest, and of the index where there is one
  std::vector<attest::Statement> statements = {};
};

// A field that the config of an image gets beside those of the image-spec: readers pass over what they do not
// know. The value is told by the image's diff_ids; empty means none.
struct ConfigField {
  std::string name;
  std::function<std::string(const std::vector<hash::Digest>& diff_ids)> json;
};

// `epoch` replaces all times of what is new. Throws util::Error for an image without an architecture, and for
// documents that nobody would read.
Image assemble(const plan::ImageRecipe& recipe, const std::optional<Base>& base,
               const solver::BuiltLayers& layers, std::optional<std::int64_t> epoch,
               const Annotations& annotations = {}, const std::optional<ConfigField>& field = {});

}  // namespace output
