// What the store remembers of a tree.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/hash/digest.hpp"

namespace store {

struct TreeRecord {
  std::optional<hash::Digest> fingerprint;  // of all its bytes, once somebody had the time to read them
  hash::Digest seal;
  std::string boot;
};

// The id of this start of the machine, another one each time; containers see their host's. Empty if unknown.
std::string boot_id();

// Nothing if there is none. Throws util::Error for a damaged one.
std::optional<TreeRecord> read_tree_record(const std::filesystem::path& path);

// As write_entry() does. Throws util::Error.
void write_tree_record(const std::filesystem::path& path, const TreeRecord& record,
                       const std::filesystem::path& partial);

}  // namespace store
