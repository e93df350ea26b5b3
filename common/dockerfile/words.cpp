// Taking lines apart.
#include "common/dockerfile/words.hpp"

#include <algorithm>
#include <utility>

#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

constexpr std::string_view separators = "\t\v\f\r ";

// Reads the leading "--name=value" words of `line` and leaves what follows them.
//
// BuildKit reads flags byte by byte as if each were a character: bytes beyond ASCII come out as two, and 0x85
// and 0xA0 separate words. Files that depend on it must mean the same here.
class FlagReader {
public:
  FlagReader(std::string_view line, char escape) : line_(line), escape_(escape) {}

  std::vector<std::string> read() {
    std::vector<std::string> flags;
    for (;;) {
      while (!at_end() && is_space(current()))
        ++position_;
      if (at_end() || !line_.substr(position_).starts_with("--")) return flags;
      auto word = read_word();
      if (word == "--") return flags;
      flags.push_back(std::move(word));
    }
  }

  std::string_view rest() const { return line_.substr(position_); }

private:
  bool at_end() const { return position_ == line_.size(); }
  char32_t current() const { return static_cast<unsigned char>(line_[position_]); }
  bool at_escape() const { return line_[position_] == escape_; }

  // The character at the position or, after an escape, the one that follows it.
  void take_character(std::string& word) {
    if (at_escape() && ++position_ == line_.size()) return;
    append(word, current());
    ++position_;
  }

  std::string read_word() {
    std::string word;
    while (!at_end() && !is_space(current())) {
      const char quote = line_[position_];
      if (quote != '\'' && quote != '"') {
        take_character(word);
        continue;
      }
      ++position_;
      while (!at_end() && line_[position_] != quote)
        take_character(word);
      if (!at_end()) ++position_;
    }
    return word;
  }

  std::string_view line_;
  char escape_;
  std::size_t position_ = 0;
};

}  // namespace

SplitLine split_line(std::string_view line, char escape) {
  line = trim_space(line);
  SplitLine split;
  const auto keyword = cut_blanks(line);
  if (!keyword) {
    split.keyword = line;
    return split;
  }
  split.keyword = keyword->first;
  FlagReader flags(keyword->second, escape);
  split.flags = flags.read();
  split.rest = trim_space(flags.rest());
  return split;
}

std::vector<std::string> split_quoted_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  while (!text.empty()) {
    CodePoint point = first_code_point(text);
    const auto take = [&] {
      append(word, point.value);
      text.remove_prefix(point.size);
    };
    const char byte = text.front();
    if (quote == '\0' && point.valid && is_space(point.value)) {
      if (in_word) words.push_back(std::exchange(word, ""));
      in_word = false;
      text.remove_prefix(point.size);
      continue;
    }
    if (byte == escape && quote != '\'') {
      // An escape that nothing follows is dropped, and does not make a word.
      if (text.size() == 1) break;
      in_word = true;
      take();
      point = first_code_point(text);
      take();
      continue;
    }
    in_word = true;
    if (quote != '\0') {
      if (byte == quote) quote = '\0';
    } else if (byte == '\'' || byte == '"') {
      quote = byte;
    }
    take();
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::vector<std::string> split_blanks(std::string_view text) {
  std::vector<std::string> pieces;
  if (text.empty()) return pieces;
  for (;;) {
    const auto end = text.find_first_of(separators);
    pieces.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    const auto next = text.find_first_not_of(separators, end);
    text.remove_prefix(next == std::string_view::npos ? text.size() : next);
  }
}

std::optional<std::pair<std::string, std::string>> cut_blanks(std::string_view text) {
  const auto end = text.find_first_of(separators);
  if (end == std::string_view::npos) return std::nullopt;
  const auto next = text.find_first_not_of(separators, end);
  return std::pair(std::string(text.substr(0, end)),
                   std::string(next == std::string_view::npos ? std::string_view() : text.substr(next)));
}

std::vector<std::string> split_csv(std::string_view line) {
  if (line.ends_with("\r\n")) {
    line.remove_suffix(2);
  } else if (line.ends_with('\n')) {
    line.remove_suffix(1);
  }
  if (line.empty()) throw SyntaxError("EOF");
  const auto fail = [](std::size_t position, const char* reason) -> SyntaxError {
    return SyntaxError("parse error on line 1, column " + std::to_string(position + 1) + ": " + reason);
  };
  std::vector<std::string> fields;
  std::size_t position = 0;
  for (;;) {
    std::string field;
    if (position == line.size() || line[position] != '"') {
      const auto end = std::min(line.find(',', position), line.size());
      field = line.substr(position, end - position);
      if (const auto quote = field.find('"'); quote != std::string::npos) {
        throw fail(position + quote, "bare \" in non-quoted-field");
      }
      position = end;
    } else {
      ++position;
      for (;;) {
        const auto quote = line.find('"', position);
        if (quote == std::string_view::npos) throw fail(position, "extraneous or missing \" in quoted-field");
        field += line.substr(position, quote - position);
        position = quote + 1;
        if (position == line.size() || line[position] == ',') break;
        if (line[position] != '"') throw fail(position - 1, "extraneous or missing \" in quoted-field");
        field += '"';
        ++position;
      }
    }
    fields.push_back(std::move(field));
    if (position == line.size()) return fields;
    ++position;
  }
}

}  // namespace dockerfile
