// Implementation of the text questions.
#include "common/util/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <numeric>

#include "common/util/characters.hpp"

namespace util {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text` (Unicode 15, table 3-7), 0 if there is
// none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

std::string hex_escape(unsigned char byte) {
  std::array<char, 5> text{};
  std::snprintf(text.data(), text.size(), "\\x%02x", byte);
  return text.data();
}

// What most names and messages are made of, printed as it is.
bool is_plain(char c) {
  return c >= ' ' && c < '\x7f' && c != '\\';
}

// Optimal string alignment distance, `limit` + 1 where it is more: edits are insert, delete, replace, swap of
// neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
    // A row's least value may fall again only by a swap of two characters, which reaches back one row.
    if (std::min(*std::min_element(above.begin(), above.end()),
                 *std::min_element(before.begin(), before.end())) > limit) {
      return limit + 1;
    }
  }
  return above[b.size()];
}

// The first character of `text`, in hex where a terminal would obey it or it is none.
void append_inert(std::string& shown, std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  const std::size_t length = utf8_sequence(text);
  // U+0080..U+009F are control characters that some terminals obey.
  const bool c1_control = length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
  if (length == 0 || byte < 0x20 || byte == 0x7F || c1_control) {
    shown += hex_escape(byte);
    if (c1_control) shown += hex_escape(static_cast<unsigned char>(text[1]));
  } else {
    shown += text.substr(0, length);
  }
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  for (;;) {
    const auto end = text.find(separator);
    pieces.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string join(const std::vector<std::string>& pieces, std::string_view separator) {
  std::string joined;
  for (const auto& piece : pieces) {
    if (&piece != &pieces.front()) joined += separator;
    joined += piece;
  }
  return joined;
}

std::string escape(std::string_view text, std::size_t limit) {
  std::string shown;
  const std::size_t end = std::min(text.size(), limit);
  for (std::size_t i = 0; i < end;) {
    const auto begin = i;
    while (i < end && is_plain(text[i]))
      ++i;
    shown += text.substr(begin, i - begin);
    if (i == end) break;
    const std::size_t length = std::max<std::size_t>(utf8_sequence(text.substr(i)), 1);
    switch (text[i]) {
      case '\n':
        shown += "\\n";
        break;
      case '\t':
        shown += "\\t";
        break;
      case '\r':
        shown += "\\r";
        break;
      case '\\':
        shown += "\\\\";
        break;
      default:
        append_inert(shown, text.substr(i));
    }
    i += length;
  }
  if (end < text.size()) shown += "...";
  return shown;
}

std::string for_terminal(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    if (text.front() == '\n' || text.front() == '\t') {
      shown += text.front();
    } else {
      append_inert(shown, text);
    }
    text.remove_prefix(std::max<std::size_t>(utf8_sequence(text), 1));
  }
  return shown;
}

std::string quote(std::string_view text) {
  return "'" + escape(text) + "'";
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<std::uint64_t> parse_uint(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates,
                                   std::size_t limit) {
  std::optional<std::string> best;
  std::size_t best_distance = limit + 1;
  for (const auto& candidate : candidates) {
    if (best_distance == 0) break;
    const std::size_t allowed = std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3);
    const std::size_t wanted = std::min(allowed, best_distance - 1);
    const std::size_t distance = edit_distance(name, candidate, wanted);
    if (distance <= wanted) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto match = nearest(name, candidates);
  return match ? "; did you mean " + quote(*match) + "?" : "";
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  while (size >= 1023.95 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, units[unit]);
  return text.data();
}

}  // namespace util
