// The characters that take no column of a terminal, or two.
#pragma once

#include <cstdint>
#include <span>

namespace display {

struct WidthRange {
  char32_t first;
  char32_t last;
  std::uint8_t width;
};

// In order; every other character takes one column.
std::span<const WidthRange> width_ranges() noexcept;

}  // namespace display
