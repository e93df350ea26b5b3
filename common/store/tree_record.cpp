// Records of trees as small JSON files.
#include "common/store/tree_record.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

constexpr auto tree_schema = "oci-build/store-tree/3";
constexpr auto marked_tree_schema = "oci-build/store-tree/4";  // with devices
constexpr std::uint64_t most_tree_record_bytes = 1 << 20;

std::map<std::string, sys::Device> read_devices(const util::JsonFields& fields) {
  std::map<std::string, sys::Device> devices;
  for (const auto& device : fields.objects("devices")) {
    device.require_exactly({"mark", "block", "major", "minor"});
    const auto mark = device.string("mark");
    if (!sys::DeviceMarks::could_be_content(mark)) device.fail("mark", "not of a device");
    const auto part = [&](const char* name) {
      const auto number = device.unsigned_integer(name);
      if (number > std::numeric_limits<std::uint32_t>::max()) device.fail(name, "too large");
      return static_cast<unsigned>(number);
    };
    devices.emplace(mark,
                    sys::Device{.type = static_cast<mode_t>(device.boolean("block") ? S_IFBLK : S_IFCHR),
                                .number = ::makedev(part("major"), part("minor"))});
  }
  return devices;
}

nlohmann::ordered_json to_json(const std::map<std::string, sys::Device>& devices) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [mark, device] : devices) {
    list.push_back({{"mark", mark},
                    {"block", S_ISBLK(device.type)},
                    {"major", ::major(device.number)},
                    {"minor", ::minor(device.number)}});
  }
  return list;
}

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
  const bool is_marked = fields.optional_string("schema") == marked_tree_schema;
  if (is_marked) {
    fields.require_exactly({"schema", "fingerprint", "seal", "boot", "bytes", "devices"});
  } else {
    fields.require_exactly({"schema", "fingerprint", "seal", "boot", "bytes"});
    if (fields.string("schema") != tree_schema) fields.fail("schema", "not " + std::string(tree_schema));
  }
  const auto print = fields.optional_string("fingerprint");
  return TreeRecord{.fingerprint = print ? std::optional(hash::Digest::parse(*print)) : std::nullopt,
                    .seal = hash::Digest::parse(fields.string("seal")),
                    .boot = fields.string("boot"),
                    .bytes = fields.unsigned_integer("bytes"),
                    .devices = is_marked ? read_devices(fields) : std::map<std::string, sys::Device>()};
}

void write_tree_record(const Folder& place, const TreeRecord& record, const Folder& partial) {
  nlohmann::ordered_json document = {{"schema", record.devices.empty() ? tree_schema : marked_tree_schema},
                                     {"fingerprint", nullptr},
                                     {"seal", record.seal.str()},
                                     {"boot", record.boot},
                                     {"bytes", record.bytes}};
  if (record.fingerprint) document["fingerprint"] = record.fingerprint->str();
  if (!record.devices.empty()) document["devices"] = to_json(record.devices);
  write_entry(place, record_name, util::dump_json(document) + "\n", partial);
}

}  // namespace store
