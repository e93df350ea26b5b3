// Code points, their classes, Go's quoting, and suggestions for misspelt names.
#include "common/dockerfile/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/dockerfile/unicode_ranges.hpp"

namespace dockerfile {
namespace {

bool contains(std::span<const Range> ranges, char32_t code_point) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), code_point,
                                      [](char32_t value, const Range& range) { return value < range.first; });
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

void append_formatted(std::string& text, const char* format, unsigned value) {
  std::array<char, 12> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  text += buffer.data();
}

void append_quoted(std::string& text, const CodePoint& point, unsigned char byte) {
  if (!point.valid) return append_formatted(text, "\\x%02x", byte);
  const char32_t value = point.value;
  switch (value) {
    case '"':
      text += "\\\"";
      return;
    case '\\':
      text += "\\\\";
      return;
    case '\a':
      text += "\\a";
      return;
    case '\b':
      text += "\\b";
      return;
    case '\f':
      text += "\\f";
      return;
    case '\n':
      text += "\\n";
      return;
    case '\r':
      text += "\\r";
      return;
    case '\t':
      text += "\\t";
      return;
    case '\v':
      text += "\\v";
      return;
    default:
      break;
  }
  if (is_printable(value)) return append(text, value);
  if (value < 0x20 || value == 0x7F) return append_formatted(text, "\\x%02x", value);
  append_formatted(text, value > 0xFFFF ? "\\U%08x" : "\\u%04x", value);
}

// Insertions, deletions and replacements of characters, one each.
std::size_t edit_distance(std::u32string_view a, std::u32string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

char lower_letter(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
}
char upper_letter(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
}

}  // namespace

std::u32string decode(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    points += point.value;
    text.remove_prefix(point.size);
  }
  return points;
}

void append(std::string& text, char32_t value) {
  if (!util::is_scalar(value)) value = replacement;
  const auto put = [&](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | value >> 6);
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | value >> 12);
    put(0x80 | (value >> 6 & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | value >> 18);
    put(0x80 | (value >> 12 & 0x3F));
    put(0x80 | (value >> 6 & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

std::string encode(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char32_t value : text)
    append(bytes, value);
  return bytes;
}

bool is_space(char32_t value) {
  return (value >= 0x09 && value <= 0x0D) || value == 0x20 || value == 0x85 || value == 0xA0 ||
         value == 0x1680 || (value >= 0x2000 && value <= 0x200A) || value == 0x2028 || value == 0x2029 ||
         value == 0x202F || value == 0x205F || value == 0x3000;
}

bool is_letter(char32_t value) {
  if (value < 0x80) return (value >= 'a' && value <= 'z') || (value >= 'A' && value <= 'Z');
  return contains(letters(), value);
}

bool is_digit(char32_t value) {
  if (value < 0x80) return value >= '0' && value <= '9';
  return contains(digits(), value);
}

bool is_printable(char32_t value) {
  if (value < 0x80) return value >= 0x20 && value < 0x7F;
  return contains(printables(), value);
}

std::string_view trim_left_space(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!point.valid || !is_space(point.value)) break;
    text.remove_prefix(point.size);
  }
  return text;
}

std::string_view trim_space(std::string_view text) {
  text = trim_left_space(text);
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) {
      --start;
    }
    const CodePoint last = first_code_point(text.substr(start));
    if (!last.valid || start + last.size != text.size() || !is_space(last.value)) break;
    text.remove_suffix(last.size);
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower_letter);
  return result;
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), upper_letter);
  return result;
}

bool equal_fold(std::string_view a, std::string_view b) {
  return lower(a) == lower(b);
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    append_quoted(result, point, static_cast<unsigned char>(text.front()));
    text.remove_prefix(point.size);
  }
  return result + '"';
}

std::string words_in_quotes(const std::vector<std::string>& words) {
  std::string result = "[";
  for (const auto& word : words) {
    if (result.size() > 1) result += ' ';
    result += in_quotes(word);
  }
  return result + ']';
}

std::string plain_list(const std::vector<std::string>& words) {
  std::string result = "[";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += ' ';
    result += words[i];
  }
  return result + ']';
}

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates, Case letters) {
  const bool fold = letters == Case::insensitive;
  const std::u32string wanted = decode(fold ? lower(name) : std::string(name));
  std::string best;
  std::size_t smallest = 3;
  for (const auto& candidate : candidates) {
    const std::u32string option = decode(fold ? lower(candidate) : candidate);
    if (option == wanted) return "";
    const std::size_t longer = std::max(option.size(), wanted.size());
    if (longer - std::min(option.size(), wanted.size()) >= smallest) continue;
    if (const std::size_t distance = edit_distance(wanted, option); distance < smallest) {
      best = encode(option);
      smallest = distance;
    }
  }
  if (fold && name != lower(name) && name == upper(name)) return upper(best);
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates, Case letters) {
  const std::string match = suggestion(name, candidates, letters);
  return match.empty() ? "" : " (did you mean " + match + "?)";
}

}  // namespace dockerfile
