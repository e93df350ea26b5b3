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
  explicit FormatError(const std::string& reason) : util::Error(reason, util::Cause::Kind::damaged) {}
};

inline constexpr std::size_t block_size = 512;
using Block = std::array<std::byte, block_size>;

// How many zero bytes follow content of that size, up to the next block.
constexpr std::uint64_t padding_after(std::uint64_t size) {
  return (block_size - size % block_size) % block_size;
}

// Where a field of the header block lies (POSIX.1-1988, ustar interchange format).
struct Field {
  std::size_t offset;
  std::size_t size;
};
inline constexpr Field name_field{0, 100};
inline constexpr Field mode_field{100, 8};
inline constexpr Field uid_field{108, 8};
inline constexpr Field gid_field{116, 8};
inline constexpr Field size_field{124, 12};
inline constexpr Field mtime_field{136, 12};
inline constexpr Field checksum_field{148, 8};
inline constexpr Field kind_field{156, 1};  // the typeflag
inline constexpr Field link_field{157, 100};
inline constexpr Field magic_field{257, 6};  // GNU's runs on into the two bytes of the version
inline constexpr Field major_field{329, 8};
inline constexpr Field minor_field{337, 8};
inline constexpr Field prefix_field{345, 155};
inline constexpr Field star_prefix_field{345, 131};  // atime and ctime follow
inline constexpr Field star_trailer_field{508, 4};

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
