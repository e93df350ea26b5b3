// Parsing of sparse maps.
#include "common/tar/sparse.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <string>

namespace tar {
namespace {

constexpr std::size_t number_size = 12;
constexpr std::size_t header_map_offset = 386;
constexpr std::size_t header_map_entries = 4;
constexpr std::size_t header_more_offset = 482;
constexpr std::size_t header_real_size_offset = 483;
constexpr std::size_t block_map_entries = 21;
constexpr std::size_t block_more_offset = 504;

std::uint64_t number_at(const Block& block, std::size_t offset) {
  const auto value = parse_number(std::span(block).subspan(offset, number_size));
  if (!value || *value < 0) throw FormatError("its sparse map is not well-formed");
  return static_cast<std::uint64_t>(*value);
}

void add(std::vector<Extent>& map, Extent extent) {
  if (map.size() == max_extents) throw FormatError("its sparse map has too many entries");
  map.push_back(extent);
}

void add_old_entries(const Block& block, std::size_t offset, std::size_t count, std::vector<Extent>& map) {
  for (std::size_t i = 0; i < count; ++i, offset += 2 * number_size) {
    if (block[offset] == std::byte{0}) return;
    add(map, {number_at(block, offset), number_at(block, offset + number_size)});
  }
}

// Reads "NUMBER\n" after "NUMBER\n" out of blocks.
class Lines {
public:
  explicit Lines(const NextBlock& next) : next_(next) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int digits = 0;; ++digits) {
      const char byte = next_byte();
      if (byte == '\n' && digits > 0) return value;
      if (byte < '0' || byte > '9' || digits == 18) throw FormatError("its sparse map is not well-formed");
      value = value * 10 + static_cast<std::uint64_t>(byte - '0');
    }
  }

private:
  char next_byte() {
    if (used_ == block_.size()) {
      next_(block_);
      used_ = 0;
    }
    return static_cast<char>(block_[used_++]);
  }

  const NextBlock& next_;
  Block block_;
  std::size_t used_ = block_size;
};

}  // namespace

OldSparse parse_old_sparse(const Block& header, const NextBlock& next) {
  OldSparse sparse;
  sparse.real_size = number_at(header, header_real_size_offset);
  add_old_entries(header, header_map_offset, header_map_entries, sparse.map);
  bool more = header[header_more_offset] != std::byte{0};
  while (more) {
    Block block;
    next(block);
    // An empty block that promises another one would let a map go on for ever.
    const std::size_t before = sparse.map.size();
    add_old_entries(block, 0, block_map_entries, sparse.map);
    more = block[block_more_offset] != std::byte{0};
    if (more && sparse.map.size() == before) throw FormatError("its sparse map is not well-formed");
  }
  return sparse;
}

std::vector<Extent> parse_sparse_lines(const NextBlock& next) {
  Lines lines(next);
  const std::uint64_t count = lines.number();
  if (count > max_extents) throw FormatError("its sparse map has too many entries");
  std::vector<Extent> map;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t offset = lines.number();
    map.push_back({offset, lines.number()});
  }
  return map;
}

void check_sparse_map(std::vector<Extent>& map, std::uint64_t real_size, std::uint64_t stored) {
  std::uint64_t end = 0;
  std::uint64_t held = 0;
  for (const auto& extent : map) {
    if (extent.offset < end || extent.offset > real_size || extent.size > real_size - extent.offset) {
      throw FormatError("its sparse map is out of order or larger than the file");
    }
    end = extent.offset + extent.size;
    held += extent.size;
  }
  if (held != stored) throw FormatError("its sparse map does not fit the size of its content");
  std::erase_if(map, [](const Extent& extent) { return extent.size == 0; });
}

}  // namespace tar
