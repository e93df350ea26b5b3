// Maps of sparse files: which stretches of a file the archive holds (GNU tar manual, "Storing Sparse Files").
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "common/tar/header.hpp"
#include "common/tar/pax.hpp"

namespace tar {

// Gives the next block of the archive; throws util::Error if there is none.
using NextBlock = std::function<void(Block&)>;

struct OldSparse {
  std::uint64_t real_size = 0;
  std::vector<Extent> map;
};

// Old GNU format (typeflag 'S'): the map begins in the header and goes on in blocks of its own behind it. All
// throw FormatError for what is not well-formed.
OldSparse parse_old_sparse(const Block& header, const NextBlock& next);

// PAX version 1.0: decimal lines in front of the content, filled up to a whole block.
std::vector<Extent> parse_sparse_lines(const NextBlock& next);

// Drops empty extents and makes sure that the rest are in order, apart, inside `real_size`, and hold exactly
// `stored` bytes.
void check_sparse_map(std::vector<Extent>& map, std::uint64_t real_size, std::uint64_t stored);

}  // namespace tar
