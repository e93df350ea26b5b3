// Records of names as small JSON files.
#include "common/store/names.hpp"

#include <nlohmann/json.hpp>

#include "common/hash/sha256.hpp"
#include "common/store/entries.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

constexpr auto name_schema = "oci-build/store-name/1";
constexpr std::uint64_t most_name_record_bytes = 64 << 10;

std::string entry_of(std::string_view name) {
  return hash::sha256(name).hex();
}

Blob parse_record(const std::string& json, std::string_view name) {
  const std::string what = "record";
  const auto document = util::parse_json(json, what);
  const util::JsonFields fields(document, what);
  fields.require_exactly({"schema", "name", "digest", "size"});
  if (fields.string("schema") != name_schema) fields.fail("schema", "not " + std::string(name_schema));
  if (fields.string("name") != name) fields.fail("name", "not the record's own");
  return {hash::Digest::parse(fields.string("digest")), fields.unsigned_integer("size")};
}

}  // namespace

Names::Names(const Folder& folder, const Folder& partial, Warn warn, Spill& spill)
    : folder_(folder), partial_(partial), warn_(std::move(warn)), spill_(spill) {}

std::optional<Blob> Names::find(std::string_view name) {
  const auto entry = entry_of(name);
  try {
    const auto fd = find_file(folder_, entry);
    if (!fd) return std::nullopt;
    auto blob = parse_record(sys::read_to_end(fd.get(), "record", most_name_record_bytes), name);
    note_use(folder_, entry, fd.get(), spill_);
    return blob;
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    if (spill_.only_looks()) return std::nullopt;
    remove_entry(folder_, entry);  // records of names are replaced at every look-up anyway
    warn_("dropped the damaged record of " + util::quote(name) + " from the store: " + error.what());
    return std::nullopt;
  }
}

void Names::put(std::string_view name, const Blob& blob) {
  if (spill_.store() != nullptr) return;
  const nlohmann::ordered_json record = {
      {"schema", name_schema}, {"name", name}, {"digest", blob.digest.str()}, {"size", blob.size}};
  try {
    write_entry(folder_, entry_of(name), util::dump_json(record) + "\n", partial_);
  } catch (const util::Error& error) {
    spill_.use(error);
  }
}

}  // namespace store
