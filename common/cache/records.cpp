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
constexpr std::size_t most_values = 5 * most_parts;  // a step's parts are three values each, and objects
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

// Elements of the two lists, each as soon as it is there.
class Reader {
public:
  void add_step(const util::JsonFields& fields) {
    if (++steps_ > most_steps) fields.fail("key", "more than " + std::to_string(most_steps) + " steps");
    auto step = parse_step(fields);
    const auto key = digest_in(fields, "key");
    if (plan::key_of(step.parts) != key) fields.fail("key", "not that of its parts");
    records_.steps.emplace(key, std::move(step));
  }

  void add_note(const util::JsonFields& fields) {
    if (++notes_ > most_notes) fields.fail("key", "more than " + std::to_string(most_notes) + " notes");
    fields.require_exactly({"key", "digest"});
    records_.notes.emplace(digest_in(fields, "key"), digest_in(fields, "digest"));
  }

  // With what has not been taken out of the lists.
  Records finish(const util::JsonFields& fields) {
    fields.require_exactly({"schema", "steps", "notes"});
    if (fields.string("schema") != schema) fields.fail("schema", "not " + std::string(schema));
    for (const auto& step : fields.objects("steps"))
      add_step(step);
    for (const auto& note : fields.objects("notes"))
      add_note(note);
    return std::move(records_);
  }

private:
  Records records_;
  std::size_t steps_ = 0;
  std::size_t notes_ = 0;
};

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

// As one value the document would take twenty times what it is long.
Records parse_records(std::string_view json) {
  const std::string what = "its records";
  Reader reader;
  const auto rest = util::parse_json_lists(
      json, what, most_values,
      [&](const std::string& list, std::size_t index, const nlohmann::json& element) {
        const util::JsonFields fields(element, what, list + "[" + std::to_string(index) + "]");
        if (list == "steps")
          reader.add_step(fields);
        else if (list == "notes")
          reader.add_note(fields);
        else
          fields.fail("", "unknown");
      });
  return reader.finish(util::JsonFields(rest, what));
}

std::optional<Records> parse_config_records(std::string_view config_json) {
  const std::string what = "its config";
  const auto document = util::parse_json(config_json, what);
  const auto records = util::JsonFields(document, what).optional_object(std::string(config_field));
  if (!records) return std::nullopt;
  return Reader().finish(*records);
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
