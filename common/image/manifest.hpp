// Image manifests, indexes and configs, parsed into what the project needs of them (OCI image-spec:
// manifest.md, image-index.md, config.md; Docker's schema 2 documents have the same fields).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/image/descriptor.hpp"

namespace image {

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;                       // lowest first
  std::map<std::string, std::string> annotations = {};  // to be written; nobody reads them
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations = {};
};

// The part of an image config that others act on; the document itself travels as the blob it is.
struct Config {
  Platform platform;                   // empty fields where the document has none
  std::vector<hash::Digest> diff_ids;  // of the uncompressed layers, lowest first
  std::string user;
  std::vector<std::string> env;  // "NAME=value"
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::string working_dir;
  std::map<std::string, std::string> labels;
};

// Each parses one document; `what` names it in errors. Throw util::Error when the document is not
// well-formed, a needed field is missing or of another type, a digest or size cannot be right, or it could be
// read as a manifest and as an index (CVE-2021-41190). Unknown fields are passed over, as the spec demands of
// readers.
Manifest parse_manifest(std::string_view json, const std::string& what);
Index parse_index(std::string_view json, const std::string& what);
Config parse_config(std::string_view json, const std::string& what);

// Throws util::Error naming the type of the config of what is no image but something else that is kept like
// one, such as a Helm chart (image-spec, manifest.md, "Guidelines for Artifact Usage").
void refuse_artifact(const Manifest& manifest);

// One image of a docker-save manifest.json: names of members of the tar.
struct SavedImage {
  std::string config;
  std::vector<std::string> repo_tags;
  std::vector<std::string> layers;  // lowest first
};
std::vector<SavedImage> parse_saved_images(std::string_view json, const std::string& what);

// The bytes of documents we write ourselves: JSON with "schemaVersion" and "mediaType" first; or as BuildKit
// writes those of images, indented by two blanks and with null for no layers.
enum class Form { compact, indented };
std::string to_json(const Manifest& manifest, Form form = Form::compact);
std::string to_json(const Index& index, Form form = Form::compact);

}  // namespace image
