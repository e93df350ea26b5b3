// PAX extended headers (POSIX pax, "pax Header Block"): records that override what a header block says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/tar/header.hpp"

namespace tar {

// A stretch of a sparse file that holds data; what lies between is a hole.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  friend bool operator==(const Extent&, const Extent&) = default;
};

// The records that mean something to us; others are passed over.
struct PaxFields {
  std::optional<std::string> path;
  std::optional<std::string> link_target;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> uid;
  std::optional<std::uint64_t> gid;
  std::optional<Timestamp> mtime;
  std::map<std::string, std::string> xattrs;

  // GNU.sparse.*
  std::string sparse_version;                     // "1.0"; older versions do not say theirs
  std::optional<std::uint64_t> sparse_real_size;  // given by every version
  std::optional<std::string> sparse_name;
  std::optional<std::vector<Extent>>
      sparse_map;  // of versions 0.0 and 0.1; 1.0 has it in front of the content
};

// A global header cannot set what only one member can have.
enum class PaxScope { member, global };

// Reads the records of one extended header over `fields`. An empty value takes a field back to what the
// header block says. Throws FormatError for a record that is not well-formed, a value that is
// none, or more than 64 Ki extents.
void parse_pax(std::string_view records, PaxScope scope, PaxFields& fields);

inline constexpr std::size_t max_extents = 65536;

}  // namespace tar
