// Parsing of PAX records.
#include "common/tar/pax.hpp"

#include <limits>

#include "common/util/text.hpp"

namespace tar {
namespace {

constexpr std::string_view xattr_prefix = "SCHILY.xattr.";
constexpr std::string_view sparse_prefix = "GNU.sparse.";
constexpr auto max_size = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

[[noreturn]] void fail_value(std::string_view key, std::string_view value) {
  throw FormatError("its PAX record " + util::quote(key) + " cannot be " + util::quote(value));
}

std::uint64_t parse_count(std::string_view key, std::string_view value) {
  const auto number = util::parse_uint(value);
  if (!number || *number > max_size) fail_value(key, value);
  return *number;
}

// [-]SECONDS[.FRACTION]; digits after the ninth of the fraction are cut off.
Timestamp parse_time(std::string_view key, std::string_view value) {
  std::string_view digits = value;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const auto point = digits.find('.');
  const auto seconds = util::parse_uint(digits.substr(0, point));
  if (!seconds || *seconds > max_size / 2) fail_value(key, value);
  std::uint32_t nanoseconds = 0;
  if (point != std::string_view::npos) {
    std::uint32_t weight = 100'000'000;
    for (const char digit : digits.substr(point + 1)) {
      if (digit < '0' || digit > '9') fail_value(key, value);
      nanoseconds += weight * static_cast<std::uint32_t>(digit - '0');
      weight /= 10;
    }
  }
  const auto whole = static_cast<std::int64_t>(*seconds);
  if (!negative) return {whole, nanoseconds};
  if (nanoseconds == 0) return {-whole, 0};
  return {-whole - 1, 1'000'000'000 - nanoseconds};
}

void add_extent(std::vector<Extent>& map, Extent extent) {
  if (map.size() == max_extents) throw FormatError("its sparse map has too many entries");
  map.push_back(extent);
}

// GNU.sparse.map of version 0.1: "offset,size,offset,size".
std::vector<Extent> parse_map(std::string_view key, std::string_view value) {
  std::vector<Extent> map;
  while (!value.empty()) {
    std::uint64_t pair[2];
    for (auto& number : pair) {
      const auto comma = value.find(',');
      number = parse_count(key, value.substr(0, comma));
      value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    }
    add_extent(map, {pair[0], pair[1]});
  }
  return map;
}

void set_name(std::string_view key, std::string_view value, std::optional<std::string>& name) {
  if (value.find('\0') != std::string_view::npos) fail_value(key, value);
  name.reset();
  if (!value.empty()) name = value;
}

void set_sparse(std::string_view key, std::string_view value, PaxFields& fields) {
  const auto name = key.substr(sparse_prefix.size());
  if (name == "major") {
    fields.sparse_version = std::string(value) + fields.sparse_version;
  } else if (name == "minor") {
    fields.sparse_version += "." + std::string(value);
  } else if (name == "name") {
    set_name(key, value, fields.sparse_name);
  } else if (name == "realsize" || name == "size") {
    fields.sparse_real_size = parse_count(key, value);
  } else if (name == "numblocks") {
    parse_count(key, value);
    fields.sparse_map.emplace();
  } else if (name == "map") {
    fields.sparse_map = parse_map(key, value);
  } else if (name == "offset") {
    if (!fields.sparse_map) fields.sparse_map.emplace();
    add_extent(*fields.sparse_map, {parse_count(key, value), 0});
  } else if (name == "numbytes") {
    if (!fields.sparse_map || fields.sparse_map->empty()) throw FormatError("its sparse map is out of order");
    fields.sparse_map->back().size = parse_count(key, value);
  }
}

template <typename Value, typename Parse>
void set(std::string_view key, std::string_view value, std::optional<Value>& field, Parse parse) {
  field.reset();
  if (!value.empty()) field = parse(key, value);
}

void set_field(std::string_view key, std::string_view value, PaxScope scope, PaxFields& fields) {
  const bool sparse = key.starts_with(sparse_prefix);
  if (scope == PaxScope::global && (key == "path" || key == "linkpath" || key == "size" || sparse)) {
    throw FormatError("it is a global PAX header with " + util::quote(key) +
                      ", which only one member can have");
  }
  if (key == "path") {
    set_name(key, value, fields.path);
  } else if (key == "linkpath") {
    set_name(key, value, fields.link_target);
  } else if (key == "size") {
    set(key, value, fields.size, parse_count);
  } else if (key == "uid") {
    set(key, value, fields.uid, parse_count);
  } else if (key == "gid") {
    set(key, value, fields.gid, parse_count);
  } else if (key == "mtime") {
    set(key, value, fields.mtime, parse_time);
  } else if (key.starts_with(xattr_prefix)) {
    // Not taken back by an empty value: an extended attribute may well be empty.
    fields.xattrs.insert_or_assign(std::string(key.substr(xattr_prefix.size())), std::string(value));
  } else if (sparse) {
    set_sparse(key, value, fields);
  }
}

}  // namespace

void parse_pax(std::string_view records, PaxScope scope, PaxFields& fields) {
  // "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. Only the length ends a value, so it may hold
  // anything.
  while (!records.empty()) {
    const auto blank = records.substr(0, 20).find(' ');
    const auto length =
        blank == std::string_view::npos ? std::nullopt : util::parse_uint(records.substr(0, blank));
    if (!length || *length > records.size() || *length < blank + 3 || records[*length - 1] != '\n') {
      throw FormatError("its PAX header is not well-formed");
    }
    const auto record = records.substr(blank + 1, *length - blank - 2);
    records.remove_prefix(*length);
    const auto equals = record.find('=');
    const auto key = record.substr(0, equals);
    if (equals == std::string_view::npos || key.empty() || key.find('\0') != std::string_view::npos) {
      throw FormatError("its PAX header is not well-formed");
    }
    set_field(key, record.substr(equals + 1), scope, fields);
  }
}

}  // namespace tar
