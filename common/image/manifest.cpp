// Reading and writing of image documents.
#include "common/image/manifest.hpp"

#include <nlohmann/json.hpp>

#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

using util::JsonFields;

// More would not fit the signed 64-bit sizes that the rest of the world counts in.
constexpr std::uint64_t max_size = INT64_MAX;

hash::Digest parse_digest(const JsonFields& fields, const std::string& name, const std::string& text) {
  try {
    return hash::Digest::parse(text);
  } catch (const util::Error& error) {
    fields.fail(name, error.what());
  }
}

std::map<std::string, std::string> parse_strings(const JsonFields& fields, const std::string& name) {
  std::map<std::string, std::string> strings;
  if (!fields.has(name)) return strings;
  const auto& object = fields.at(name);
  if (!object.is_object()) fields.fail(name, "expected an object");
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) fields.fail(name + "." + key, "expected a string");
    strings.emplace(key, value.get<std::string>());
  }
  return strings;
}

std::vector<std::string> parse_list(const JsonFields& fields, const std::string& name) {
  return fields.has(name) ? fields.strings(name) : std::vector<std::string>();
}

std::optional<std::vector<std::string>> parse_command(const JsonFields& fields, const std::string& name) {
  return fields.has(name) ? std::optional(fields.strings(name)) : std::nullopt;
}

Platform parse_platform(const JsonFields& fields) {
  return Platform::from_fields(fields.optional_string("os").value_or(""),
                               fields.optional_string("architecture").value_or(""),
                               fields.optional_string("variant").value_or(""));
}

Descriptor parse_descriptor(const JsonFields& fields) {
  Descriptor descriptor{fields.string("mediaType"), parse_digest(fields, "digest", fields.string("digest"))};
  descriptor.size = fields.unsigned_integer("size");
  if (descriptor.size > max_size) fields.fail("size", "too large");
  if (const auto platform = fields.optional_object("platform"))
    descriptor.platform = parse_platform(*platform);
  descriptor.annotations = parse_strings(fields, "annotations");
  descriptor.artifact_type = fields.optional_string("artifactType").value_or("");
  return descriptor;
}

void check_version(const JsonFields& fields) {
  if (fields.unsigned_integer("schemaVersion") != 2) fields.fail("schemaVersion", "expected 2");
}

nlohmann::ordered_json to_json_value(const Descriptor& descriptor) {
  nlohmann::ordered_json value = {
      {"mediaType", descriptor.media_type}, {"digest", descriptor.digest.str()}, {"size", descriptor.size}};
  if (!descriptor.artifact_type.empty()) value["artifactType"] = descriptor.artifact_type;
  if (!descriptor.annotations.empty()) value["annotations"] = descriptor.annotations;
  if (const auto& platform = descriptor.platform) {
    value["platform"] = {{"architecture", platform->architecture}, {"os", platform->os}};
    if (!platform->variant.empty()) value["platform"]["variant"] = platform->variant;
  }
  return value;
}

nlohmann::ordered_json to_json_values(const std::vector<Descriptor>& descriptors) {
  auto values = nlohmann::ordered_json::array();
  for (const auto& descriptor : descriptors)
    values.push_back(to_json_value(descriptor));
  return values;
}

std::string written(nlohmann::ordered_json document, const std::map<std::string, std::string>& annotations,
                    Form form) {
  if (!annotations.empty()) document["annotations"] = annotations;
  return form == Form::compact ? util::dump_json(document) : document.dump(2);
}

}  // namespace

Manifest parse_manifest(std::string_view json, const std::string& what) {
  const auto document = util::parse_json(json, what);
  const JsonFields fields(document, what);
  check_version(fields);
  if (fields.has("manifests")) fields.fail("manifests", "a manifest cannot be an index too");
  Manifest manifest{fields.optional_string("mediaType").value_or(std::string(media_type::oci_manifest)),
                    parse_descriptor(fields.object("config")),
                    {}};
  if (!media_type::is_manifest(manifest.media_type))
    fields.fail("mediaType", "expected that of an image manifest");
  if (!fields.has("layers")) return manifest;
  for (const auto& layer : fields.objects("layers"))
    manifest.layers.push_back(parse_descriptor(layer));
  return manifest;
}

Index parse_index(std::string_view json, const std::string& what) {
  const auto document = util::parse_json(json, what);
  const JsonFields fields(document, what);
  check_version(fields);
  for (const auto* name : {"config", "layers"}) {
    if (fields.has(name)) fields.fail(name, "an index cannot be a manifest too");
  }
  Index index{fields.optional_string("mediaType").value_or(std::string(media_type::oci_index)), {}};
  if (!media_type::is_index(index.media_type)) fields.fail("mediaType", "expected that of an image index");
  index.annotations = parse_strings(fields, "annotations");
  if (!fields.has("manifests")) return index;
  for (const auto& manifest : fields.objects("manifests"))
    index.manifests.push_back(parse_descriptor(manifest));
  return index;
}

Config parse_config(std::string_view json, const std::string& what) {
  const auto document = util::parse_json(json, what);
  const JsonFields fields(document, what);
  Config config;
  config.platform = parse_platform(fields);
  if (const auto rootfs = fields.optional_object("rootfs")) {
    for (const auto& diff_id : parse_list(*rootfs, "diff_ids")) {
      config.diff_ids.push_back(parse_digest(*rootfs, "diff_ids", diff_id));
    }
  }
  if (const auto settings = fields.optional_object("config")) {
    config.user = settings->optional_string("User").value_or("");
    config.env = parse_list(*settings, "Env");
    config.entrypoint = parse_command(*settings, "Entrypoint");
    config.cmd = parse_command(*settings, "Cmd");
    config.working_dir = settings->optional_string("WorkingDir").value_or("");
    config.labels = parse_strings(*settings, "Labels");
  }
  return config;
}

void refuse_artifact(const Manifest& manifest) {
  const auto& type = manifest.config.media_type;
  // The last one is what some tools of before 2016 wrote.
  for (const std::string_view known :
       {media_type::oci_config, media_type::docker_config, std::string_view("application/octet-stream")}) {
    if (type == known) return;
  }
  throw util::Error("it is no image but an artifact, with a config of the type " + util::quote(type));
}

std::vector<SavedImage> parse_saved_images(std::string_view json, const std::string& what) {
  const auto document = util::parse_json(json, what);
  if (!document.is_array()) throw util::Error(what + ": expected a list");
  std::vector<SavedImage> images;
  for (const auto& element : document) {
    const JsonFields fields(element, what);
    images.push_back({fields.string("Config"), parse_list(fields, "RepoTags"), parse_list(fields, "Layers")});
  }
  return images;
}

std::string to_json(const Manifest& manifest, Form form) {
  nlohmann::ordered_json document = {{"schemaVersion", 2},
                                     {"mediaType", manifest.media_type},
                                     {"config", to_json_value(manifest.config)},
                                     {"layers", to_json_values(manifest.layers)}};
  if (form == Form::indented && manifest.layers.empty()) document["layers"] = nullptr;
  return written(std::move(document), manifest.annotations, form);
}

std::string to_json(const Index& index, Form form) {
  return written(
      {{"schemaVersion", 2}, {"mediaType", index.media_type}, {"manifests", to_json_values(index.manifests)}},
      index.annotations, form);
}

}  // namespace image
