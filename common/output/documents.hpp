// The JSON documents around images, laid out as BuildKit lays them out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/image/reference.hpp"
#include "common/output/assemble.hpp"

namespace output {

// The config of what is no image.
inline constexpr std::string_view empty_config = "{}";

// The manifest of one image: its config, layers and annotations, indented by two blanks.
std::string manifest_document(const image::Descriptor& config, const std::vector<LayerFile>& layers,
                              const Annotations& annotations);

// The manifest that holds what is said of an image, of the empty config, indented by two blanks.
std::string attestation_document(const Image& image);

// The index of images, after all of them what is said of them, indented by two blanks.
std::string index_document(const std::vector<Image>& images, const Annotations& annotations);

// index.json of a layout that holds one manifest or index, with the annotations of its descriptor, once for
// each of `repo_tags` with its name, or without any; `created` is RFC 3339.
std::string layout_index_document(const image::Descriptor& root, const std::string& created,
                                  const std::vector<image::Reference>& repo_tags);

// manifest.json of a docker-save archive.
std::string docker_manifest_document(const Image& image, const std::vector<image::Reference>& repo_tags);

}  // namespace output
