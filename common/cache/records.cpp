// The document and the manifest around it.
#include "common/cache/records.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "common/hash/sha256.hpp"
#include "common/plan/cache_key.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace cache {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto schema = "oci-build/cache/1";
constexpr std::size_t most_steps = 20'000;
constexpr std::size_t most_parts = 20'000;  // of one step
constexpr std::size_t most_notes = 200'000;
constexpr std::uint64_t most_layer_bytes = std::uint64_t{1} << 40;
const std::set<std::string> layer_types = {"application/vnd.oci.image.layer.v1.tar",
                                           "application/vnd.oci.image.layer.v1.tar+gzip",
                                           "application/vnd.oci.image.layer.v1.tar+zstd",
                                           "application/vnd.docker.image.rootfs.diff.tar",
                                           "application/vnd.docker.image.rootfs.diff.tar.gzip",
                                           "application/vnd.docker.image.rootfs.diff.tar.zstd"};

hash::Digest digest_in(const util::JsonFields& fields, const std::string& name) {
  try {
    return hash::Digest::parse(fields.string(name));
  } catch (const util::Error& error) {
    fields.fail(name, error.what());
  }
}

std::vector<util::JsonFields> list_in(const util::JsonFields& fields, const std::string& name,
                                      std::size_t most) {
  if (fields.at(name).size() > most) fields.fail(name, "more than " + std::to_string(most));
  return fields.objects(name);
}

store::Step parse_step(const util::JsonFields& fields) {
  fields.require_exactly({"key", "diff_id", "digest", "size", "media_type", "created", "parts"});
  store::Step step{.diff_id = digest_in(fields, "diff_id"),
                   .blob = {digest_in(fields, "digest"), fields.unsigned_integer("size")},
                   .media_type = fields.string("media_type"),
                   .created = util::Date::parse(fields.string("created"))};
  if (step.blob.size > most_layer_bytes)
    fields.fail("size", "more than " + util::human_size(most_layer_bytes));
  if (!layer_types.contains(step.media_type))
    fields.fail("media_type", util::quote(step.media_type) + " is no layer's");
  for (const auto& part : list_in(fields, "parts", most_parts)) {
    part.require_exactly({"kind", "name", "value"});
    const auto kind = plan::key_part_kind(part.string("kind"));
    if (!kind) part.fail("kind", "unknown");
    step.parts.push_back({*kind, part.string("name"), digest_in(part, "value")});
  }
  return step;
}

Json write_step(const hash::Digest& key, const store::Step& step) {
  auto parts = Json::array();
  for (const auto& part : step.parts)
    parts.push_back({{"kind", plan::to_string(part.kind)}, {"name", part.name}, {"value", part.value.str()}});
  return {{"key", key.str()},         {"diff_id", step.diff_id.str()}, {"digest", step.blob.digest.str()},
          {"size", step.blob.size},   {"media_type", step.media_type}, {"created", step.created.str()},
          {"parts", std::move(parts)}};
}

Records parse_document(const util::JsonFields& fields) {
  fields.require_exactly({"schema", "steps", "notes"});
  if (fields.string("schema") != schema) fields.fail("schema", "not " + std::string(schema));
  Records records;
  for (const auto& one : list_in(fields, "steps", most_steps)) {
    auto step = parse_step(one);
    const auto key = digest_in(one, "key");
    if (plan::key_of(step.parts) != key) one.fail("key", "not that of its parts");
    records.steps.emplace(key, std::move(step));
  }
  for (const auto& note : list_in(fields, "notes", most_notes)) {
    note.require_exactly({"key", "digest"});
    records.notes.emplace(digest_in(note, "key"), digest_in(note, "digest"));
  }
  return records;
}

}  // namespace

std::string to_json(const Records& records) {
  auto steps = Json::array();
  for (const auto& [key, step] : records.steps)
    steps.push_back(write_step(key, step));
  auto notes = Json::array();
  for (const auto& [key, digest] : records.notes)
    notes.push_back({{"key", key.str()}, {"digest", digest.str()}});
  return util::dump_json(Json{{"schema", schema}, {"steps", std::move(steps)}, {"notes", std::move(notes)}});
}

Records parse_records(std::string_view json) {
  const std::string what = "its records";
  const auto document = util::parse_json(json, what);
  return parse_document(util::JsonFields(document, what));
}

std::optional<Records> parse_config_records(std::string_view config_json) {
  const std::string what = "its config";
  const auto document = util::parse_json(config_json, what);
  const auto records = util::JsonFields(document, what).optional_object(std::string(config_field));
  if (!records) return std::nullopt;
  return parse_document(*records);
}

bool is_layer_type(const std::string& media_type) {
  return layer_types.contains(media_type);
}

image::Manifest manifest_of(const Records& records, std::string_view json) {
  image::Manifest manifest{
      .media_type = std::string(image::media_type::oci_manifest),
      .config = {.media_type = std::string(records_type), .digest = hash::sha256(json), .size = json.size()},
      .layers = {}};
  std::set<hash::Digest> seen;
  for (const auto& [key, step] : records.steps) {
    if (!seen.insert(step.blob.digest).second) continue;
    manifest.layers.push_back(
        {.media_type = step.media_type, .digest = step.blob.digest, .size = step.blob.size});
  }
  return manifest;
}

}  // namespace cache
