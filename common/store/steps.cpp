// Records of steps as small JSON files.
#include "common/store/steps.hpp"

#include <nlohmann/json.hpp>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

constexpr auto step_schema = "oci-build/store-step/1";
constexpr auto note_schema = "oci-build/store-note/1";
constexpr auto fetched_schema = "oci-build/store-fetched/1";
constexpr std::uint64_t most_record_bytes = 64 << 20;  // listings of very many files
const std::string record_text = "record";

util::JsonFields fields_of(const nlohmann::json& document, const char* schema,
                           const std::vector<std::string>& names) {
  util::JsonFields fields(document, record_text);
  fields.require_exactly(names);
  if (fields.string("schema") != schema) fields.fail("schema", "not " + std::string(schema));
  return fields;
}

plan::KeyPart parse_part(const util::JsonFields& fields) {
  fields.require_exactly({"kind", "name", "value"});
  const auto kind = plan::key_part_kind(fields.string("kind"));
  if (!kind) fields.fail("kind", "unknown");
  return {*kind, fields.string("name"), hash::Digest::parse(fields.string("value"))};
}

Step parse_step(const std::string& json) {
  const auto document = util::parse_json(json, record_text);
  const auto fields =
      fields_of(document, step_schema,
                {"schema", "diff_id", "digest", "size", "media_type", "removes", "created", "parts"});
  Step step{.diff_id = hash::Digest::parse(fields.string("diff_id")),
            .blob = {hash::Digest::parse(fields.string("digest")), fields.unsigned_integer("size")},
            .media_type = fields.string("media_type"),
            .removes = fields.boolean("removes"),
            .created = util::Date::parse(fields.string("created"))};
  for (const auto& part : fields.objects("parts"))
    step.parts.push_back(parse_part(part));
  return step;
}

hash::Digest parse_note(const std::string& json) {
  const auto document = util::parse_json(json, record_text);
  return hash::Digest::parse(fields_of(document, note_schema, {"schema", "digest"}).string("digest"));
}

Fetched parse_fetched(const std::string& json) {
  const auto document = util::parse_json(json, record_text);
  const auto fields = fields_of(document, fetched_schema, {"schema", "digest", "size", "etag", "modified"});
  return {.blob = {hash::Digest::parse(fields.string("digest")), fields.unsigned_integer("size")},
          .etag = fields.string("etag"),
          .modified = fields.integer("modified")};
}

std::string to_json(const Step& step) {
  auto parts = nlohmann::ordered_json::array();
  for (const auto& part : step.parts) {
    parts.push_back({{"kind", plan::to_string(part.kind)}, {"name", part.name}, {"value", part.value.str()}});
  }
  return util::dump_json(nlohmann::ordered_json({{"schema", step_schema},
                                                 {"diff_id", step.diff_id.str()},
                                                 {"digest", step.blob.digest.str()},
                                                 {"size", step.blob.size},
                                                 {"media_type", step.media_type},
                                                 {"removes", step.removes},
                                                 {"created", step.created.str()},
                                                 {"parts", std::move(parts)}}));
}

}  // namespace

Steps::Steps(const Folder& folder, const Folder& partial, Warn warn, Spill& spill)
    : folder_(folder), partial_(partial), warn_(std::move(warn)), spill_(spill) {}

template <typename Parse>
auto Steps::read(const hash::Digest& key, const Parse& parse)
    -> decltype(std::optional(parse(std::string()))) {
  const std::string entry(key.hex());
  try {
    const auto fd = find_file(folder_, entry);
    if (!fd) return std::nullopt;
    auto found = parse(sys::read_to_end(fd.get(), record_text, most_record_bytes));
    note_use(folder_, entry, fd.get(), spill_);
    return found;
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    {
      const std::lock_guard lock(mutex_);
      damaged_.insert(key);
    }
    if (spill_.only_looks()) return std::nullopt;
    remove_entry(folder_, entry);
    warn_("dropped a damaged record of a step from the store: " + std::string(error.what()));
    return std::nullopt;
  }
}

std::optional<Step> Steps::find(const hash::Digest& key) {
  return read(key, [&](const std::string& json) {
    auto step = parse_step(json);
    if (plan::key_of(step.parts) != key)
      throw util::Error("its parts are not those of its key", util::Cause::Kind::damaged);
    return step;
  });
}

bool Steps::was_damaged(const hash::Digest& key) const {
  const std::lock_guard lock(mutex_);
  return damaged_.contains(key);
}

std::optional<Step> Steps::peek(const hash::Digest& key) const try {
  const auto fd = find_file(folder_, key.hex());
  if (!fd) return std::nullopt;
  return parse_step(sys::read_to_end(fd.get(), record_text, most_record_bytes));
} catch (const util::Error& error) {
  if (error.is_cancelled()) throw;
  return std::nullopt;
}

std::optional<hash::Digest> Steps::note(const hash::Digest& key) {
  return read(key, parse_note);
}

void Steps::put(const hash::Digest& key, const Step& step) {
  write(key, to_json(step));
}

void Steps::remove(const hash::Digest& key) {
  remove_entry(folder_, key.hex());
}

void Steps::put_note(const hash::Digest& key, const hash::Digest& digest) {
  write(key, util::dump_json(nlohmann::ordered_json({{"schema", note_schema}, {"digest", digest.str()}})));
}

std::optional<Fetched> Steps::fetched(const hash::Digest& key) {
  return read(key, parse_fetched);
}

void Steps::put_fetched(const hash::Digest& key, const Fetched& fetched) {
  write(key, util::dump_json(nlohmann::ordered_json({{"schema", fetched_schema},
                                                     {"digest", fetched.blob.digest.str()},
                                                     {"size", fetched.blob.size},
                                                     {"etag", fetched.etag},
                                                     {"modified", fetched.modified}})));
}

std::optional<std::string> Steps::listing(const hash::Digest& key) {
  return read(key, [](std::string text) { return text; });
}

void Steps::put_listing(const hash::Digest& key, std::string_view listing) {
  write(key, listing);
}

void Steps::write(const hash::Digest& key, std::string_view record) {
  if (spill_.store() != nullptr) return;
  try {
    write_entry(folder_, key.hex(), record, partial_);
  } catch (const util::Error& error) {
    spill_.use(error);
  }
}

}  // namespace store
