// Decoding of tar header blocks.
#include "common/tar/header.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

namespace tar {
namespace {

std::span<const std::byte> bytes(const Block& block, Field field) {
  return std::span(block).subspan(field.offset, field.size);
}

std::string_view view(const Block& block, Field field) {
  return {reinterpret_cast<const char*>(block.data()) + field.offset, field.size};
}

// Up to the first NUL, or the whole field.
std::string_view text(const Block& block, Field field) {
  const auto whole = view(block, field);
  return whole.substr(0, whole.find('\0'));
}

std::int64_t number(const Block& block, Field field, const char* name, std::int64_t least,
                    std::int64_t most) {
  const auto value = parse_number(bytes(block, field));
  if (!value) throw FormatError(std::string("its ") + name + " is not a number");
  if (*value < least || *value > most) {
    throw FormatError(std::string("its ") + name + " cannot be " + std::to_string(*value));
  }
  return *value;
}

void verify_checksum(const Block& block) {
  std::int64_t unsigned_sum = 0;
  std::int64_t signed_sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= checksum_field.offset && i < checksum_field.offset + checksum_field.size;
    const auto byte = own ? static_cast<unsigned char>(' ') : std::to_integer<unsigned char>(block[i]);
    unsigned_sum += byte;
    signed_sum += static_cast<signed char>(byte);
  }
  const auto wanted = parse_number(bytes(block, checksum_field));
  if (wanted != unsigned_sum && wanted != signed_sum) throw FormatError("its checksum is wrong");
}

std::optional<std::int64_t> parse_base256(std::span<const std::byte> field) {
  // The first bit marks the encoding, the second is the sign of a two's complement number.
  const auto first = std::to_integer<unsigned char>(field.front());
  const bool negative = (first & 0x40) != 0;
  std::int64_t value = negative ? static_cast<signed char>(first) : first & 0x7f;
  for (const std::byte byte : field.subspan(1)) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max() / 256;
    constexpr auto least = std::numeric_limits<std::int64_t>::min() / 256;
    if (value > most || value < least) return std::nullopt;
    value = value * 256 + std::to_integer<unsigned char>(byte);
  }
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_number(std::span<const std::byte> field) {
  if (field.empty()) return 0;
  if ((field.front() & std::byte{0x80}) != std::byte{0}) return parse_base256(field);
  std::string_view digits(reinterpret_cast<const char*>(field.data()), field.size());
  const auto begin = digits.find_first_not_of(std::string_view(" \0", 2));
  if (begin == std::string_view::npos) return 0;
  digits.remove_prefix(begin);
  const auto end = digits.find_first_of(std::string_view(" \0", 2));
  // What follows the first blank or NUL is left over from whatever the block held before.
  digits = digits.substr(0, end);
  std::int64_t value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '7' || value >> 60 != 0) return std::nullopt;
    value = value * 8 + (digit - '0');
  }
  return value;
}

bool is_zero(const Block& block) {
  return std::all_of(block.begin(), block.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

Header parse_header(const Block& block) {
  constexpr auto any = std::numeric_limits<std::int64_t>::max();
  verify_checksum(block);
  Header header;
  header.kind = static_cast<char>(block[kind_field.offset]);
  header.path = text(block, name_field);
  header.link_target = text(block, link_field);
  header.mode = static_cast<std::uint32_t>(number(block, mode_field, "mode", 0, any) & 07777);
  header.uid = static_cast<std::uint64_t>(number(block, uid_field, "uid", 0, any));
  header.gid = static_cast<std::uint64_t>(number(block, gid_field, "gid", 0, any));
  header.size = static_cast<std::uint64_t>(number(block, size_field, "size", 0, any));
  header.mtime = number(block, mtime_field, "mtime", std::numeric_limits<std::int64_t>::min(), any);

  const auto magic = view(block, magic_field);
  const bool posix = magic == std::string_view("ustar\0", 6);
  const bool gnu = magic == "ustar ";
  if (!posix && !gnu) return header;  // v7 ends here; its later fields may hold anything
  if (header.kind == '3' || header.kind == '4') {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    header.device_major = static_cast<std::uint32_t>(number(block, major_field, "device number", 0, most));
    header.device_minor = static_cast<std::uint32_t>(number(block, minor_field, "device number", 0, most));
  }
  if (posix) {
    const bool star = view(block, star_trailer_field) == std::string_view("tar\0", 4);
    const auto prefix = text(block, star ? star_prefix_field : prefix_field);
    if (!prefix.empty()) header.path = std::string(prefix) + '/' + header.path;
  }
  return header;
}

}  // namespace tar
