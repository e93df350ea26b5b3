// Text as a terminal shows it: how wide it is, and what is left of foreign text when nothing in it is obeyed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace display {

// The columns that a character takes: 2 for those of East Asia and most emoji, 0 for marks that stand on the
// one before.
int width_of(char32_t code_point) noexcept;

// One line of text without what a terminal would obey: escape sequences are left out, whole or not, and so
// are control characters and those that turn the direction of writing. A tab is blanks up to the next column
// that eight divides, and what is no UTF-8 is U+FFFD.
std::string printable(std::string_view text);

// The columns that printable text takes.
std::size_t width(std::string_view printable);

// As much of printable text as fits into so many columns; what is longer ends in "..." where there is room
// for it.
std::string shortened(std::string_view printable, std::size_t columns);

}  // namespace display
