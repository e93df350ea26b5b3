// Documents in the order of fields that Go's structs have.
#include "common/output/documents.hpp"

#include <nlohmann/json.hpp>

#include "common/hash/base64.hpp"
#include "common/hash/sha256.hpp"
#include "common/image/manifest.hpp"
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

// As a document of ours names it: without what others have annotated it with.
image::Descriptor plain(const image::Descriptor& descriptor) {
  return {.media_type = oci_layer_type(descriptor.media_type),
          .digest = descriptor.digest,
          .size = descriptor.size};
}

}  // namespace

std::string manifest_document(const image::Descriptor& config, const std::vector<LayerFile>& layers,
                              const Annotations& annotations) {
  image::Manifest manifest{.media_type = std::string(image::media_type::oci_manifest),
                           .config = plain(config),
                           .layers = {},
                           .annotations = annotations};
  for (const auto& layer : layers)
    manifest.layers.push_back(plain(layer.descriptor));
  return image::to_json(manifest, image::Form::indented);
}

// BuildKit's docs/attestations/attestation-storage.md, in the form of an OCI artifact.
std::string attestation_document(const Image& image) {
  Json layers = Json::array();
  for (const auto& statement : image.statements) {
    layers.push_back({{"mediaType", "application/vnd.in-toto+json"},
                      {"digest", hash::sha256(statement.json).str()},
                      {"size", statement.json.size()},
                      {"annotations", {{"in-toto.io/predicate-type", statement.predicate_type}}}});
  }
  const Json document = {{"schemaVersion", 2},
                         {"mediaType", image::media_type::oci_manifest},
                         {"artifactType", "application/vnd.docker.attestation.manifest.v1+json"},
                         {"config",
                          {{"mediaType", "application/vnd.oci.empty.v1+json"},
                           {"digest", hash::sha256(empty_config).str()},
                           {"size", empty_config.size()},
                           {"data", hash::encode_base64(empty_config)}}},
                         {"layers", std::move(layers)},
                         {"subject",
                          {{"mediaType", image.manifest.media_type},
                           {"digest", image.manifest.digest.str()},
                           {"size", image.manifest.size}}}};
  return document.dump(2);
}

std::string index_document(const std::vector<Image>& images, const Annotations& annotations) {
  image::Index index{
      .media_type = std::string(image::media_type::oci_index), .manifests = {}, .annotations = annotations};
  for (const auto& image : images) {
    index.manifests.push_back(plain(image.manifest));
    index.manifests.back().platform = image.manifest.platform;
  }
  for (const auto& image : images) {
    if (image.statements.empty()) continue;
    const auto document = attestation_document(image);
    image::Descriptor manifest{.media_type = std::string(image::media_type::oci_manifest),
                               .digest = hash::sha256(document),
                               .size = document.size(),
                               .platform = image::Platform{"unknown", "unknown", ""}};
    manifest.annotations = {{"vnd.docker.reference.digest", image.manifest.digest.str()},
                            {std::string(image::annotation::reference_type), "attestation-manifest"}};
    index.manifests.push_back(std::move(manifest));
  }
  return image::to_json(index, image::Form::indented);
}

std::string layout_index_document(const image::Descriptor& root, const std::string& created,
                                  const std::vector<image::Reference>& repo_tags) {
  auto entry = root;
  entry.annotations[image::annotation::created] = created;
  std::vector<image::Descriptor> entries;
  for (const auto& tag : repo_tags) {
    entry.annotations[image::annotation::image_name] = tag.full();
    entry.annotations[image::annotation::ref_name] = tag.tag;
    entries.push_back(entry);
  }
  if (entries.empty()) entries.push_back(std::move(entry));
  return image::to_json(
      image::Index{.media_type = std::string(image::media_type::oci_index), .manifests = std::move(entries)});
}

std::string docker_manifest_document(const Image& image, const std::vector<image::Reference>& repo_tags) {
  Json names = nullptr;
  for (const auto& tag : repo_tags)
    names.push_back(tag.familiar());
  Json layers = nullptr;
  for (const auto& layer : image.layers)
    layers.push_back(image::blob_name(layer.descriptor.digest));
  const Json entry = {
      {"Config", image::blob_name(image.config.digest)}, {"RepoTags", names}, {"Layers", layers}};
  return util::dump_json(Json::array({entry}));
}

}  // namespace output
