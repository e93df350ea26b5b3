// Tar headers as Go's archive/tar lays them out.
#include "common/tar/writer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "common/tar/header.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace tar {
namespace {

using Records = std::map<std::string, std::string>;  // sorted by key, as Go sorts them

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string ascii_only(std::string_view text) {
  std::string kept;
  std::copy_if(text.begin(), text.end(), std::back_inserter(kept),
               [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return kept;
}

bool fits_octal(Field field, std::int64_t value) {
  return value >= 0 && (field.size >= 22 || value < std::int64_t{1} << (3 * (field.size - 1)));
}

class HeaderBlock {
public:
  HeaderBlock() { block_.fill(std::byte{0}); }

  void put_string(Field field, std::string_view text) {
    const std::size_t count = std::min(text.size(), field.size);
    std::memcpy(block_.data() + field.offset, text.data(), count);
    // A name cut at a slash would be a directory to readers that look at this field alone.
    if (text.size() > field.size && text[field.size - 1] == '/') {
      const auto end = text.substr(0, field.size - 1).find_last_not_of('/');
      block_[field.offset + (end == std::string_view::npos ? 0 : end + 1)] = std::byte{0};
    }
  }

  // A number that does not fit is written as 0; its PAX record has it.
  void put_octal(Field field, std::int64_t value) {
    if (!fits_octal(field, value)) value = 0;
    for (std::size_t i = field.size - 1; i-- > 0; value >>= 3) {
      block_[field.offset + i] = static_cast<std::byte>('0' + (value & 7));
    }
  }

  void put_kind(char kind) { block_[kind_field.offset] = static_cast<std::byte>(kind); }

  // Magic, version and checksum; the block is complete then.
  const Block& seal() {
    std::memcpy(block_.data() + 257,
                "ustar\0"
                "00",
                8);
    std::fill_n(block_.begin() + checksum_field.offset, checksum_field.size, std::byte{' '});
    std::uint32_t sum = 0;
    for (const auto byte : block_)
      sum += static_cast<std::uint32_t>(byte);
    // Six octal digits, NUL, blank: one digit less than other numbers.
    put_octal({checksum_field.offset, checksum_field.size - 1}, sum);
    block_[checksum_field.offset + 6] = std::byte{0};
    return block_;
  }

private:
  Block block_;
};

// "LENGTH KEY=VALUE\n", where LENGTH counts itself (POSIX.1-2001, pax extended header).
std::string pax_record(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + std::to_string(rest).size();
  if (std::to_string(length).size() != std::to_string(rest).size())
    length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

char kind_of(Type type) {
  switch (type) {
    case Type::regular:
      return '0';
    case Type::hard_link:
      return '1';
    case Type::symlink:
      return '2';
    case Type::character_device:
      return '3';
    case Type::block_device:
      return '4';
    case Type::directory:
      return '5';
    case Type::fifo:
      return '6';
  }
  return '0';
}

// As Go writes it: "5.25", "-0.5".
std::string decimal(const Timestamp& time) {
  const bool before = time.seconds < 0;
  const auto nanoseconds = before ? 1'000'000'000 - time.nanoseconds : time.nanoseconds;
  const auto fraction = std::to_string(1'000'000'000 + nanoseconds).substr(1);
  return (before ? "-" + std::to_string(-(time.seconds + 1)) : std::to_string(time.seconds)) + "." +
         fraction.substr(0, fraction.find_last_not_of('0') + 1);
}

// The map of a sparse file as it stands before the content; one that ends with a hole says so by an empty
// extent, which GNU tar wants.
std::string sparse_lines(const Entry& entry) {
  auto map = *entry.sparse;
  if (map.empty() || map.back().offset + map.back().size < entry.size) map.push_back({entry.size, 0});
  std::string lines = std::to_string(map.size()) + "\n";
  for (const auto& extent : map)
    lines += std::to_string(extent.offset) + "\n" + std::to_string(extent.size) + "\n";
  lines.resize(lines.size() + padding_after(lines.size()), '\0');
  return lines;
}

std::uint64_t bytes_in(const std::vector<Extent>& map) {
  std::uint64_t bytes = 0;
  for (const auto& extent : map)
    bytes += extent.size;
  return bytes;
}

// What readers that know nothing of sparse files call the member: "DIR/GNUSparseFile.0/BASE".
std::string sparse_name(const std::string& path) {
  const auto base = path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1;
  return path.substr(0, base) + "GNUSparseFile.0/" + path.substr(base);
}

Records needed_records(const Entry& entry) {
  Records records;
  const auto text = [&](const std::string& key, Field field, const std::string& value) {
    if (value.find('\0') != std::string::npos)
      throw util::Error("cannot put " + util::quote(value) + " into a tar");
    if (!is_ascii(value) || value.size() > field.size) records[key] = value;
  };
  const auto number = [&](const std::string& key, Field field, std::int64_t value) {
    if (!fits_octal(field, value)) records[key] = std::to_string(value);
  };
  text("path", name_field, entry.path);
  text("linkpath", link_field, entry.link_target);
  number("uid", uid_field, static_cast<std::int64_t>(entry.uid));
  number("gid", gid_field, static_cast<std::int64_t>(entry.gid));
  number("size", size_field, static_cast<std::int64_t>(entry.size));
  number("mtime", mtime_field, entry.mtime.seconds);
  if (entry.mtime.nanoseconds > 0) records["mtime"] = decimal(entry.mtime);
  for (const auto& [name, value] : entry.xattrs)
    records["SCHILY.xattr." + name] = value;
  return records;
}

struct SplitName {
  std::string prefix;
  std::string name;
};

// A long name over ustar's prefix and name fields, cut at the last slash that lets both fit; nothing if none
// does.
std::optional<SplitName> split_name(const std::string& path) {
  if (path.size() <= name_field.size || !is_ascii(path)) return std::nullopt;
  std::size_t length = path.size();
  if (length > prefix_field.size + 1) {
    length = prefix_field.size + 1;
  } else if (path.ends_with('/')) {
    --length;
  }
  const auto slash = path.rfind('/', length - 1);
  if (slash == std::string::npos || slash == 0) return std::nullopt;
  const std::size_t name_size = path.size() - slash - 1;
  if (name_size == 0 || name_size > name_field.size) return std::nullopt;
  return SplitName{path.substr(0, slash), path.substr(slash + 1)};
}

// The name of a PAX header's own member: "DIR/PaxHeaders.0/BASE", for readers that know no PAX.
std::string pax_name(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  std::string name = ascii_only(directory + "PaxHeaders.0" + (base.empty() ? "" : "/" + base));
  name.resize(std::min(name.size(), name_field.size));
  while (name.ends_with('/'))
    name.pop_back();
  return name;
}

}  // namespace

void Writer::add(const Entry& entry) {
  if (!entry.sparse) return add(entry, needed_records(entry));
  const auto map = sparse_lines(entry);
  auto stored = entry;
  stored.path = sparse_name(entry.path);
  stored.size = map.size() + bytes_in(*entry.sparse);
  auto records = needed_records(stored);
  records.erase("path");
  records["GNU.sparse.major"] = "1";
  records["GNU.sparse.minor"] = "0";
  records["GNU.sparse.name"] = entry.path;
  records["GNU.sparse.realsize"] = std::to_string(entry.size);
  add(stored, std::move(records));
  write(std::as_bytes(std::span(map)));
}

void Writer::add(const Entry& entry, std::map<std::string, std::string> records) {
  assert(content_left_ == 0);
  pad();
  std::optional<SplitName> split;
  if (records.size() == 1 && records.count("path") == 1) {
    split = split_name(entry.path);
    if (split) records.clear();
  }
  if (!records.empty()) {
    std::string data;
    for (const auto& [key, value] : records)
      data += pax_record(key, value);
    HeaderBlock header;
    header.put_kind('x');
    header.put_string(name_field, pax_name(entry.path));
    for (const Field field : {mode_field, uid_field, gid_field, mtime_field})
      header.put_octal(field, 0);
    header.put_octal(size_field, static_cast<std::int64_t>(data.size()));
    sink_.write(header.seal());
    data.resize(data.size() + padding_after(data.size()), '\0');
    sink_.write(std::as_bytes(std::span(data)));
  }

  HeaderBlock header;
  header.put_kind(kind_of(entry.type));
  header.put_string(name_field, split ? split->name : ascii_only(entry.path));
  if (split) header.put_string(prefix_field, split->prefix);
  header.put_string(link_field, ascii_only(entry.link_target));
  header.put_octal(mode_field, entry.mode);
  header.put_octal(uid_field, static_cast<std::int64_t>(entry.uid));
  header.put_octal(gid_field, static_cast<std::int64_t>(entry.gid));
  header.put_octal(size_field, static_cast<std::int64_t>(entry.size));
  header.put_octal(mtime_field, entry.mtime.seconds);
  header.put_octal(major_field, entry.device_major);
  header.put_octal(minor_field, entry.device_minor);
  sink_.write(header.seal());
  content_left_ = entry.size;
  padding_ = padding_after(entry.size);
}

void Writer::write(std::span<const std::byte> data) {
  assert(data.size() <= content_left_);
  sink_.write(data);
  content_left_ -= data.size();
}

void Writer::count_content(std::uint64_t size) {
  assert(size <= content_left_);
  content_left_ -= size;
}

void Writer::pad() {
  static constexpr Block zeros{};
  if (padding_ > 0) sink_.write(std::span(zeros).first(padding_));
  padding_ = 0;
}

void Writer::finish() {
  assert(content_left_ == 0);
  pad();
  static constexpr std::array<std::byte, 2 * block_size> end_mark{};
  sink_.write(end_mark);
}

}  // namespace tar
