// Joining of physical lines.
#include "common/dockerfile/lines.hpp"

#include <algorithm>
#include <utility>

#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

std::string_view without_line_break(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r'))
    line.remove_suffix(1);
  return line;
}

bool is_comment(std::string_view line) {
  return trim_left_space(line).starts_with('#');
}

}  // namespace

LineReader::LineReader(std::string_view text) : rest_(text) {}

std::optional<std::string_view> LineReader::physical_line() {
  if (rest_.empty() || too_long_) return std::nullopt;
  const auto end = rest_.find('\n');
  const std::size_t length = end == std::string_view::npos ? rest_.size() : end;
  if (length > longest_line) {
    too_long_ = true;
    return std::nullopt;
  }
  std::string_view line = rest_.substr(0, end == std::string_view::npos ? length : length + 1);
  rest_.remove_prefix(line.size());
  if (line_number_++ == 0 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  return line;
}

bool LineReader::read_directive(std::string_view line) {
  auto directive = directive_parser_.parse(line);
  if (!directive) return false;
  if (directive->name == "escape") {
    if (directive->value != "\\" && directive->value != "`") {
      throw SyntaxError("invalid escape token '" + directive->value + "' does not match ` or \\",
                        directive->value);
    }
    directives_.escape = directive->value.front();
  } else if (directive->name == "syntax") {
    directives_.syntax = std::move(directive);
  } else {
    directives_.check = std::move(directive);
  }
  return true;
}

bool LineReader::continues(std::string_view& line) const {
  const auto end = line.find_last_not_of(" \t");
  if (end == std::string_view::npos || line[end] != directives_.escape) return false;
  if (end > 0 && line[end - 1] == directives_.escape) return false;
  // A line break inside (a lone CR does not end a line) cannot precede the mark.
  line = line.substr(0, end);
  return true;
}

std::optional<LogicalLine> LineReader::next() {
  while (auto raw = physical_line()) {
    if (is_comment(*raw)) {
      const auto comment = trim_space(raw->substr(1));
      if (comment.empty()) {
        comments_.clear();
      } else {
        comments_.emplace_back(comment);
      }
    }
    std::string_view line = trim_left_space(without_line_break(*raw));
    if (read_directive(line)) comments_.pop_back();
    if (is_comment(line)) line = {};

    LogicalLine logical;
    logical.location.first_line = line_number_;
    bool more = continues(line);
    if (!more && line.empty()) continue;
    logical.text = line;
    while (more && (raw = physical_line())) {
      if (is_comment(*raw)) continue;
      line = without_line_break(*raw);
      if (trim_left_space(line).empty()) {
        logical.empty_continuation = true;
        continue;
      }
      more = continues(line);
      logical.text += line;
    }
    logical.location.last_line = line_number_;
    logical.comments = std::exchange(comments_, {});
    return logical;
  }
  return std::nullopt;
}

std::optional<std::string> LineReader::heredoc(std::string_view terminator, Tabs tabs) {
  std::string body;
  while (const auto raw = physical_line()) {
    std::string_view line = without_line_break(*raw);
    if (tabs == Tabs::chomp) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line == terminator) return body;
    body += *raw;
  }
  return std::nullopt;
}

}  // namespace dockerfile
