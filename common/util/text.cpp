// Implementation of the text questions.
#include "common/util/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <numeric>

#include "common/util/characters.hpp"
#include "common/util/utf8.hpp"

namespace util {
namespace {

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

// Puts the first character of `text` into `shown`, in hex where a terminal would obey it or it is none, and
// takes it away.
void take_inert(std::string& shown, std::string_view& text) {
  const auto point = first_code_point(text);
  const auto bytes = text.substr(0, point.size);
  // U+0080..U+009F are control characters that some terminals obey.
  if (!point.valid || point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0)) {
    for (const char byte : bytes)
      shown += hex_escape(static_cast<unsigned char>(byte));
  } else {
    shown += bytes;
  }
  text.remove_prefix(point.size);
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
  const bool is_cut = text.size() > limit;
  // A character that the limit cuts is shown whole.
  for (std::size_t left = std::min(text.size(), limit); left > 0;) {
    const auto before = text.size();
    const auto plain = static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(left), is_plain) -
        text.begin());
    shown += text.substr(0, plain);
    text.remove_prefix(plain);
    if (plain == left) break;
    switch (text.front()) {
      case '\n':
        shown += "\\n";
        text.remove_prefix(1);
        break;
      case '\t':
        shown += "\\t";
        text.remove_prefix(1);
        break;
      case '\r':
        shown += "\\r";
        text.remove_prefix(1);
        break;
      case '\\':
        shown += "\\\\";
        text.remove_prefix(1);
        break;
      default:
        take_inert(shown, text);
    }
    left -= std::min(left, before - text.size());
  }
  if (is_cut) shown += "...";
  return shown;
}

std::string for_terminal(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    if (text.front() == '\n' || text.front() == '\t') {
      shown += text.front();
      text.remove_prefix(1);
    } else {
      take_inert(shown, text);
    }
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
    const auto point = first_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.size);
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

std::string fixed(double value, int decimals) {
  std::array<char, 400> text{};  // the longest double has 309 digits before the point
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
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
  return fixed(size, 1) + " " + units[unit];
}

}  // namespace util
