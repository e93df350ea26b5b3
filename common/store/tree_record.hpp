// What the store remembers of a tree.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/hash/digest.hpp"
#include "common/store/entries.hpp"
#include "common/sys/device_marks.hpp"

namespace store {

struct TreeRecord {
  std::optional<hash::Digest> fingerprint;  // of all its bytes, once somebody had the time to read them
  hash::Digest seal;
  std::string boot;
  std::uint64_t bytes = 0;  // that it takes on disk
  std::map<std::string, sys::Device> devices =
      {};  // what its files that stand for devices mean (sys::DeviceMarks)
};

// Throws util::Error where nobody had the time, so that a tree that was copied cannot be told from a damaged
// one.
const hash::Digest& fingerprint_of(const TreeRecord& record);

// The id of this start of the machine, another one each time; containers see their host's. Empty if unknown.
std::string boot_id();

// In the folder of a tree, beside its files.
inline constexpr auto record_name = "tree.json";

// Nothing if there is none. Throws util::Error for a damaged one.
std::optional<TreeRecord> read_tree_record(const Folder& place);

// As write_entry() does. Throws util::Error.
void write_tree_record(const Folder& place, const TreeRecord& record, const Folder& partial);

}  // namespace store
