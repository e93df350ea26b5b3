// Which code points beyond ASCII are letters, decimal digits and printable.
#pragma once

#include <span>

namespace dockerfile {

struct Range {
  char32_t first;
  char32_t last;
};

// In ascending order, from U+0080 on.
std::span<const Range> letters();
std::span<const Range> digits();
std::span<const Range> printables();

}  // namespace dockerfile
