// UTF-8, one character at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace util {

// Unicode's replacement character, which stands for every byte that is not UTF-8.
inline constexpr char32_t replacement = 0xFFFD;

// True for every code point but the surrogates: what UTF-8 can say.
constexpr bool is_scalar(char32_t value) noexcept {
  return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

// `replacement` and one byte, with `valid` false, where the bytes are not UTF-8.
struct CodePoint {
  char32_t value;
  std::size_t size;  // in bytes, at least 1
  bool valid;
};

// The code point at the start of `text`, which must not be empty. Well-formed is what table 3-7 of the
// Unicode Standard lists: no surrogates, no overlong forms, nothing beyond U+10FFFF.
CodePoint first_code_point(std::string_view text) noexcept;

}  // namespace util
