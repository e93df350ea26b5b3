// Walks over characters.
#include "common/display/terminal_text.hpp"

#include <algorithm>
#include <iterator>

#include "common/display/width_ranges.hpp"
#include "common/util/utf8.hpp"

namespace display {
namespace {

constexpr std::string_view replacement_character = "\uFFFD";
constexpr char escape = '\x1b';

// The length of the escape sequence at the start of `text` (ECMA-48, 5.3 to 5.6).
std::size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  const char kind = text[1];
  std::size_t at = 2;
  const auto skip = [&](char first, char last) {
    while (at < text.size() && text[at] >= first && text[at] <= last)
      ++at;
  };
  if (kind == '[') {
    skip(0x20, 0x3F);
    return std::min(at + (at < text.size() && text[at] >= 0x40 && text[at] <= 0x7E ? 1 : 0), text.size());
  }
  if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    for (; at < text.size(); ++at) {
      if (text[at] == '\a') return at + 1;
      if (text[at] == escape) return at + (at + 1 < text.size() && text[at + 1] == '\\' ? 2 : 0);
    }
    return at;
  }
  if (kind >= 0x20 && kind <= 0x2F) {
    skip(0x20, 0x2F);
    return std::min(at + 1, text.size());
  }
  return kind >= 0x30 && kind <= 0x7E ? 2 : 1;
}

bool is_obeyed(char32_t value) {
  const bool is_control =
      value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0x2028 || value == 0x2029;
  // Marks, embeddings, overrides and isolates of direction (UAX #9).
  const bool is_direction = value == 0x61C || value == 0x200E || value == 0x200F ||
                            (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
  return is_control || is_direction;
}

}  // namespace

int width_of(char32_t code_point) noexcept {
  if (code_point < 0x300) return 1;
  const auto ranges = width_ranges();
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code_point,
                       [](char32_t value, const WidthRange& range) { return value < range.first; });
  return after != ranges.begin() && code_point <= std::prev(after)->last ? std::prev(after)->width : 1;
}

std::string printable(std::string_view text) {
  std::string shown;
  std::size_t columns = 0;
  while (!text.empty()) {
    if (text.front() == escape) {
      text.remove_prefix(sequence_length(text));
      continue;
    }
    const auto character = util::first_code_point(text);
    if (!character.valid) {
      shown += replacement_character;
      ++columns;
    } else if (character.value == '\t') {
      const auto blanks = 8 - columns % 8;
      shown.append(blanks, ' ');
      columns += blanks;
    } else if (!is_obeyed(character.value)) {
      shown += text.substr(0, character.size);
      columns += static_cast<std::size_t>(width_of(character.value));
    }
    text.remove_prefix(character.size);
  }
  return shown;
}

std::size_t width(std::string_view printable) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < printable.size();) {
    const auto character = util::first_code_point(printable.substr(i));
    columns += static_cast<std::size_t>(width_of(character.value));
    i += character.size;
  }
  return columns;
}

std::string shortened(std::string_view printable, std::size_t columns) {
  constexpr std::string_view dots = "...";
  if (width(printable) <= columns) return std::string(printable);
  const std::string_view end = columns > dots.size() ? dots : std::string_view();
  std::size_t used = end.size();
  std::size_t i = 0;
  while (i < printable.size()) {
    const auto character = util::first_code_point(printable.substr(i));
    used += static_cast<std::size_t>(width_of(character.value));
    if (used > columns) break;
    i += character.size;
  }
  return std::string(printable.substr(0, i)) + std::string(end);
}

}  // namespace display
