// The decoder.
#include "common/util/utf8.hpp"

namespace util {

CodePoint first_code_point(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  const CodePoint none = {replacement, 1, false};
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return none;
  char32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return none;
    value = value << 6 | (byte(i) & 0x3F);
  }
  const bool is_overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  return is_overlong || !is_scalar(value) ? none : CodePoint{value, size, true};
}

}  // namespace util
