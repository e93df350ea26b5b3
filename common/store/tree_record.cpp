// Records of trees as small JSON files.
#include "common/store/tree_record.hpp"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

constexpr auto tree_schema = "oci-build/store-tree/3";
constexpr std::uint64_t most_tree_record_bytes = 64 << 10;

}  // namespace

const hash::Digest& fingerprint_of(const TreeRecord& record) {
  if (!record.fingerprint)
    throw util::Error("its files were copied or changed before a build had the time to read them once");
  return *record.fingerprint;
}

std::string boot_id() {
  auto id = sys::read_if_there("/proc/sys/kernel/random/boot_id");
  while (id.ends_with('\n'))
    id.pop_back();
  return id;
}

std::optional<TreeRecord> read_tree_record(const Folder& place) {
  const auto file = find_file(place, record_name);
  if (!file) return std::nullopt;
  const std::string what = "record";
  const auto document = util::parse_json(sys::read_to_end(file.get(), what, most_tree_record_bytes), what);
  const util::JsonFields fields(document, what);
  fields.require_exactly({"schema", "fingerprint", "seal", "boot", "bytes"});
  if (fields.string("schema") != tree_schema) fields.fail("schema", "not " + std::string(tree_schema));
  const auto print = fields.optional_string("fingerprint");
  return TreeRecord{.fingerprint = print ? std::optional(hash::Digest::parse(*print)) : std::nullopt,
                    .seal = hash::Digest::parse(fields.string("seal")),
                    .boot = fields.string("boot"),
                    .bytes = fields.unsigned_integer("bytes")};
}

void write_tree_record(const Folder& place, const TreeRecord& record, const Folder& partial) {
  nlohmann::ordered_json document = {{"schema", tree_schema},
                                     {"fingerprint", nullptr},
                                     {"seal", record.seal.str()},
                                     {"boot", record.boot},
                                     {"bytes", record.bytes}};
  if (record.fingerprint) document["fingerprint"] = record.fingerprint->str();
  write_entry(place, record_name, util::dump_json(document) + "\n", partial);
}

}  // namespace store
