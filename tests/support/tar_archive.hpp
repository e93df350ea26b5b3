// Makes tar archives in memory for tests, byte by byte, so that they may be as wrong as a test needs.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

using PaxRecords = std::vector<std::pair<std::string, std::string>>;

struct Member {
  std::string path;
  char kind = '0';
  std::string content = {};
  std::string link_target = {};
  unsigned mode = 0644;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 0;
  unsigned device_major = 0;
  unsigned device_minor = 0;
  PaxRecords pax = {};
  std::string magic = std::string("ustar\00000", 8);
};

inline void put(std::string& block, std::size_t offset, std::string_view bytes) {
  block.replace(offset, bytes.size(), bytes);
}

inline std::string octal(std::uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
  return text;
}

// Sets the checksum of a header block that was changed by hand.
inline std::string sealed(std::string block) {
  put(block, 148, "        ");
  unsigned sum = 0;
  for (const char byte : block.substr(0, 512))
    sum += static_cast<unsigned char>(byte);
  put(block, 148, octal(sum, 6) + std::string("\0 ", 2));
  return block;
}

inline std::string base256(std::int64_t value, std::size_t size) {
  std::string text(size, value < 0 ? '\xff' : '\0');
  for (std::size_t i = 0; i < 8 && i < size; ++i)
    text[size - 1 - i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
  text[0] = static_cast<char>(text[0] | '\x80');
  return text;
}

inline std::string padded(std::string content) {
  content.resize((content.size() + 511) / 512 * 512, '\0');
  return content;
}

inline std::string pax_record(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length)
    ++length;
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

// The header block alone. Names longer than their fields are cut; give them as PAX records.
inline std::string header(const Member& member) {
  std::string block(512, '\0');
  put(block, 0, std::string_view(member.path).substr(0, 100));
  put(block, 100, octal(member.mode, 7));
  put(block, 108,
      member.uid < 1 << 21 ? octal(member.uid, 7) : base256(static_cast<std::int64_t>(member.uid), 8));
  put(block, 116,
      member.gid < 1 << 21 ? octal(member.gid, 7) : base256(static_cast<std::int64_t>(member.gid), 8));
  put(block, 124, octal(member.content.size(), 11));
  put(block, 136,
      member.mtime >= 0 ? octal(static_cast<std::uint64_t>(member.mtime), 11) : base256(member.mtime, 12));
  block[156] = member.kind;
  put(block, 157, std::string_view(member.link_target).substr(0, 100));
  put(block, 257, member.magic);
  put(block, 329, octal(member.device_major, 7));
  put(block, 337, octal(member.device_minor, 7));
  return sealed(block);
}

// The whole member: PAX header where there are records, header, content.
inline std::string member(const Member& member) {
  std::string archive;
  if (!member.pax.empty()) {
    std::string records;
    for (const auto& [key, value] : member.pax)
      records += pax_record(key, value);
    archive = header({.path = "PaxHeaders/x", .kind = 'x', .content = records}) + padded(records);
  }
  return archive + header(member) + padded(member.content);
}

// A member whose names may have any length.
inline std::string long_member(Member long_named) {
  if (long_named.path.size() > 100) long_named.pax.emplace_back("path", long_named.path);
  if (long_named.link_target.size() > 100) long_named.pax.emplace_back("linkpath", long_named.link_target);
  return member(long_named);
}

inline std::string end_mark() {
  return std::string(1024, '\0');
}

inline std::string archive(const std::vector<Member>& members) {
  std::string bytes;
  for (const auto& one : members)
    bytes += long_member(one);
  return bytes + end_mark();
}

}  // namespace test
