// From bytes to logical lines: directives read, comments set aside, continued lines joined; the raw lines of
// a heredoc on demand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/dockerfile/directives.hpp"
#include "common/dockerfile/source.hpp"

namespace dockerfile {

struct Directives {
  std::optional<Directive> syntax;
  std::optional<Directive> check;
  char escape = '\\';
};

struct LogicalLine {
  std::string text;  // physical lines joined without anything between them, only the first one's indent gone
  Location location;
  std::vector<std::string> comments;  // the block of comments above it, without '#' and blanks around
  bool empty_continuation = false;    // a blank line stands inside
};

// Reads the lines of one file in order. It borrows `text`.
class LineReader {
public:
  explicit LineReader(std::string_view text);

  // The next instruction's line; nothing at the end. Throws SyntaxError for a wrong directive; line_number()
  // tells where.
  std::optional<LogicalLine> next();

  // The raw lines up to one that is exactly `terminator` (after leading tabs, if `chomp`), each with its line
  // break; nothing if the file ends first.
  enum class Tabs { keep, chomp };
  std::optional<std::string> heredoc(std::string_view terminator, Tabs tabs);

  const Directives& directives() const noexcept { return directives_; }
  // Of the last physical line read; 0 before the first.
  int line_number() const noexcept { return line_number_; }
  // True if reading ended at a line longer than `longest_line`, as if the file ended before it.
  bool stopped_at_long_line() const noexcept { return too_long_; }

  static constexpr std::size_t longest_line = 65535;

private:
  // With its line break.
  std::optional<std::string_view> physical_line();
  bool read_directive(std::string_view line);
  // Removes a continuation mark from the end; false if there is none.
  bool continues(std::string_view& line) const;

  std::string_view rest_;
  DirectiveParser directive_parser_;
  Directives directives_;
  std::vector<std::string> comments_;
  int line_number_ = 0;
  bool too_long_ = false;
};

}  // namespace dockerfile
