// The 512-byte header block of a tar member, in the dialects that are about: v7, ustar, star, GNU.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/util/error.hpp"

namespace tar {

// What is wrong with one member; Reader adds the archive and the place.
class FormatError : public util::Error {
public:
  explicit FormatError(const std::string& reason) : util::Error(reason) {}
};

inline constexpr std::size_t block_size = 512;
using Block = std::array<std::byte, block_size>;

struct Timestamp {
  std::int64_t seconds = 0;  // since 1970, negative before
  std::uint32_t nanoseconds = 0;

  friend bool operator==(const Timestamp&, const Timestamp&) = default;
};

// What one header block says, before PAX or GNU extensions change it.
struct Header {
  char kind = '0';  // the typeflag
  std::string path;
  std::string link_target;
  std::uint32_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
};

bool is_zero(const Block& block);

// Throws FormatError with the reason if the checksum (of unsigned bytes, or of signed ones as some old tars
// wrote it) or a number is wrong.
Header parse_header(const Block& block);

// A numeric field: octal digits between blanks and NULs, or base-256 when its first bit is set. An empty
// field is 0. Nothing if it is neither, or does not fit.
std::optional<std::int64_t> parse_number(std::span<const std::byte> field);

}  // namespace tar
