// Documents in the order of fields that Go's structs have.
#include "common/output/documents.hpp"

#include <nlohmann/json.hpp>

#include "common/util/json.hpp"

namespace output {
namespace {

using Json = nlohmann::ordered_json;

// Docker's layer types name the same formats.
std::string oci_layer_type(const std::string& type) {
  if (type == "application/vnd.docker.image.rootfs.diff.tar")
    return std::string(image::media_type::oci_layer);
  if (type == "application/vnd.docker.image.rootfs.diff.tar.gzip")
    return std::string(image::media_type::oci_layer_gzip);
  return type;
}

Json to_json(const image::Platform& platform) {
  Json object = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.variant.empty()) object["variant"] = platform.variant;
  return object;
}

Json to_json(const image::Descriptor& descriptor) {
  return {{"mediaType", oci_layer_type(descriptor.media_type)},
          {"digest", descriptor.digest.str()},
          {"size", descriptor.size}};
}

std::string blob_name(const hash::Digest& digest) {
  return "blobs/sha256/" + std::string(digest.hex());
}

}  // namespace

std::string manifest_document(const image::Descriptor& config, const std::vector<LayerFile>& layer_files,
                              const Annotations& annotations) {
  Json layers = nullptr;
  for (const auto& layer : layer_files)
    layers.push_back(to_json(layer.descriptor));
  Json document = {{"schemaVersion", 2},
                   {"mediaType", image::media_type::oci_manifest},
                   {"config", to_json(config)},
                   {"layers", layers}};
  if (!annotations.empty()) document["annotations"] = annotations;
  return document.dump(2);
}

std::string index_document(const std::vector<Image>& images) {
  Json manifests = Json::array();
  for (const auto& image : images) {
    Json entry = to_json(image.manifest);
    entry["platform"] = to_json(*image.manifest.platform);
    manifests.push_back(std::move(entry));
  }
  Json document = {
      {"schemaVersion", 2}, {"mediaType", image::media_type::oci_index}, {"manifests", manifests}};
  if (!images.front().annotations.empty()) document["annotations"] = images.front().annotations;
  return document.dump(2);
}

std::string layout_index_document(const image::Descriptor& root, const std::string& created) {
  Json entry = to_json(root);
  entry["annotations"] = root.annotations;
  entry["annotations"]["org.opencontainers.image.created"] = created;
  if (root.platform) entry["platform"] = to_json(*root.platform);
  return util::dump_json(Json{{"schemaVersion", 2},
                              {"mediaType", image::media_type::oci_index},
                              {"manifests", Json::array({entry})}});
}

std::string docker_manifest_document(const Image& image) {
  Json layers = nullptr;
  for (const auto& layer : image.layers)
    layers.push_back(blob_name(layer.descriptor.digest));
  const Json entry = {{"Config", blob_name(image.config.digest)}, {"RepoTags", nullptr}, {"Layers", layers}};
  return util::dump_json(Json::array({entry}));
}

}  // namespace output
