// Showing places of a Dockerfile to people.
#include "common/dockerfile/source.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

constexpr std::size_t longest_excerpt = 160;

// A message may have several lines, as what a program said has.
std::string harmless_lines(std::string_view text) {
  std::string shown;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    shown += harmless(text.substr(0, end)) + '\n';
    text.remove_prefix(end + 1);
  }
  return shown + harmless(text);
}

struct Place {
  int line;
  std::size_t column;
};

// Where `piece` stands in `line` as a word or as a value; the first place for pieces that are neither.
std::size_t find_piece(std::string_view line, std::string_view piece) {
  constexpr std::string_view before = " \t=,[\"'<";
  constexpr std::string_view behind = " \t=,]\"'";
  for (auto at = line.find(piece); at != std::string_view::npos; at = line.find(piece, at + 1)) {
    const auto end = at + piece.size();
    const bool starts = at == 0 || before.find(line[at - 1]) != std::string_view::npos;
    const bool ends = end == line.size() || behind.find(line[end]) != std::string_view::npos;
    if (starts && ends) return at;
  }
  return line.find(piece);
}

Place find(const Source& source, const Location& location, std::string_view near) {
  if (!near.empty()) {
    for (int number = location.first_line; number <= location.last_line; ++number) {
      const auto column = find_piece(source.line(number), near);
      if (column != std::string_view::npos) return {number, column};
    }
  }
  const auto line = source.line(location.first_line);
  return {location.first_line, line.size() - trim_left_space(line).size()};
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (point.valid && point.value == '\t') {
      shown += ' ';
    } else if (point.valid && (point.value == '\n' || point.value == '\r')) {
      shown += point.value == '\n' ? "\\n" : "\\r";
    } else if (point.valid && point.value >= 0x20 && point.value != 0x7F &&
               (point.value < 0x80 || point.value > 0x9F)) {
      shown += text.substr(0, point.size);
    } else {
      for (const char byte : text.substr(0, point.size)) {
        std::array<char, 5> escape{};
        std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(byte));
        shown += escape.data();
      }
    }
    text.remove_prefix(point.size);
  }
  return shown;
}

Source::Source(std::string name, std::string_view text) : name_(std::move(name)) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    while (line.ends_with('\r'))
      line.remove_suffix(1);
    lines_.emplace_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

std::string_view Source::line(int number) const noexcept {
  const auto index = static_cast<std::size_t>(number) - 1;
  return number >= 1 && index < lines_.size() ? std::string_view(lines_[index]) : std::string_view();
}

std::string Source::describe(const Location& location, std::string_view message,
                             std::string_view near) const {
  if (location.first_line == 0) return name_ + ": " + harmless_lines(message);
  const Place place = find(*this, location, near);
  std::string_view excerpt = line(place.line);
  std::string before;
  if (excerpt.size() > longest_excerpt && place.column > longest_excerpt / 2) {
    before = "...";
    excerpt.remove_prefix(place.column - longest_excerpt / 2);
  }
  const std::size_t column = place.column - (line(place.line).size() - excerpt.size());
  before += harmless(excerpt.substr(0, column));
  const std::string_view rest = excerpt.substr(column);
  const std::size_t room = longest_excerpt - std::min(column, longest_excerpt);
  std::string shown = before + harmless(rest.substr(0, room)) + (rest.size() > room ? "..." : "");
  if (shown.empty()) return name_ + ':' + std::to_string(place.line) + ": " + harmless_lines(message);
  return name_ + ':' + std::to_string(place.line) + ": " + harmless_lines(message) + '\n' + shown + '\n' +
         std::string(decode(before).size(), ' ') + '^';
}

}  // namespace dockerfile
