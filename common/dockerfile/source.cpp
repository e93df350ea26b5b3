// Showing places of a Dockerfile to people.
#include "common/dockerfile/source.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

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

struct Place {
  int line = 0;
  std::size_t column = 0;
};

// Nothing where it does not stand, or nothing is named.
std::optional<Place> find(const Source& source, const Location& location, std::string_view near) {
  if (near.empty()) return std::nullopt;
  for (int number = location.first_line; number <= location.last_line; ++number) {
    const auto column = find_piece(source.line(number), near);
    if (column != std::string_view::npos) return Place{number, column};
  }
  return std::nullopt;
}

// The lines shown for an instruction: BuildKit adds two on each side of a single line, one else, and what is
// missing on one side on the other.
Location with_lines_around(Location location, int count) {
  const int wanted = location.first_line == location.last_line ? 4 : 2;
  for (int tries = 0; tries < wanted; ++tries) {
    if (location.first_line > 1) {
      --location.first_line;
      ++tries;
    }
    if (location.last_line < count) {
      ++location.last_line;
      ++tries;
    }
  }
  return location;
}

// What stands before a line: "   7 | >>> ", or nothing but its width if there is no number.
std::string margin(const std::string& number, std::string_view mark) {
  constexpr std::size_t width = 3;
  return " " + std::string(width - std::min(width, number.size()), ' ') + number + " | " + std::string(mark) +
         " ";
}

std::string numbered(int number, std::string_view line, bool is_marked) {
  return margin(std::to_string(number), is_marked ? ">>>" : "   ") +
         harmless(line.substr(0, longest_excerpt)) + (line.size() > longest_excerpt ? "..." : "") + '\n';
}

// The line around `column` alone if it is long, and a caret below that.
std::string with_caret(int number, std::string_view line, std::size_t column) {
  std::string before;
  if (line.size() > longest_excerpt && column > longest_excerpt / 2) {
    before = "...";
    line.remove_prefix(column - longest_excerpt / 2);
    column = longest_excerpt / 2;
  }
  before += harmless(line.substr(0, column));
  const std::string_view rest = line.substr(column);
  const std::size_t room = longest_excerpt - column;
  return margin(std::to_string(number), ">>>") + before + harmless(rest.substr(0, room)) +
         (rest.size() > room ? "..." : "") + '\n' +
         margin(std::string(std::to_string(number).size(), ' '), "   ") +
         std::string(decode(before).size(), ' ') + "^\n";
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
  for (;;) {
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
  const auto place = find(*this, location, near);
  std::string text = name_ + ':' + std::to_string(place ? place->line : location.first_line) + ": " +
                     harmless_lines(message);
  const auto count = static_cast<int>(lines_.size());
  if (location.first_line > count) return text;
  constexpr std::string_view rule = "--------------------";
  text += '\n' + std::string(rule) + '\n';
  const Location marked{location.first_line, std::clamp(location.last_line, location.first_line, count)};
  const Location shown = with_lines_around(marked, count);
  for (int number = shown.first_line; number <= shown.last_line; ++number) {
    text += place && place->line == number
                ? with_caret(number, line(number), place->column)
                : numbered(number, line(number), number >= marked.first_line && number <= marked.last_line);
  }
  return text + std::string(rule);
}

}  // namespace dockerfile
