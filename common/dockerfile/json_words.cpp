// JSON arrays of strings, read as Go's encoding/json reads them: bytes that are not UTF-8 and lone surrogates
// become U+FFFD, numbers too large for a double make the text no JSON at all.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"
#include "common/dockerfile/words.hpp"
#include "common/util/characters.hpp"

namespace dockerfile {
namespace {

constexpr std::size_t deepest_nesting = 10000;

// Checks one JSON value and collects the strings that stand in its outermost array.
class ArrayReader {
public:
  explicit ArrayReader(std::string_view text) : text_(text) {}

  // False if `text` is not one well-formed array with nothing but white space behind it.
  bool read() {
    if (!value()) return false;
    while (!open_.empty()) {
      if (!go_on()) return false;
    }
    skip_blanks();
    return text_.empty() && !number_too_large_;
  }

  bool only_strings() const { return only_strings_; }
  std::vector<std::string> take_words() { return std::move(words_); }

private:
  void skip_blanks() {
    const auto end = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end);
  }

  bool take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  // Reads a scalar whole; of an array or object only the opening bracket.
  bool value() {
    skip_blanks();
    if (open_.size() == 1 && !text_.starts_with('"')) only_strings_ = false;
    if (text_.starts_with('[') || text_.starts_with('{')) {
      if (open_.size() == deepest_nesting) return false;
      open_ += text_.front();
      text_.remove_prefix(1);
      just_opened_ = true;
      return true;
    }
    if (text_.starts_with('"')) {
      std::string word;
      if (!string(word)) return false;
      if (open_.size() == 1) words_.push_back(std::move(word));
      return true;
    }
    return take("true") || take("false") || take("null") || number();
  }

  bool member() {
    skip_blanks();
    std::string name;
    if (!text_.starts_with('"') || !string(name)) return false;
    skip_blanks();
    return take(":") && value();
  }

  // Goes on inside the innermost bracket: the first or next element, or its end.
  bool go_on() {
    skip_blanks();
    const bool in_array = open_.back() == '[';
    const bool first = std::exchange(just_opened_, false);
    if (take(in_array ? "]" : "}")) {
      open_.pop_back();
      return true;
    }
    if (!first && !take(",")) return false;
    return in_array ? value() : member();
  }

  bool digits() {
    const auto end = std::min(text_.find_first_not_of("0123456789"), text_.size());
    text_.remove_prefix(end);
    return end > 0;
  }

  bool number() {
    const std::string_view start = text_;
    take("-");
    if (!take("0") && !digits()) return false;
    if (take(".") && !digits()) return false;
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      if (!digits()) return false;
    }
    const std::string literal(start.substr(0, start.size() - text_.size()));
    if (std::isinf(std::strtod(literal.c_str(), nullptr))) number_too_large_ = true;
    return true;
  }

  bool string(std::string& word) {
    text_.remove_prefix(1);
    while (!text_.empty()) {
      if (take("\"")) return true;
      if (static_cast<unsigned char>(text_.front()) < 0x20) return false;
      if (take("\\")) {
        if (!escape(word)) return false;
        continue;
      }
      const CodePoint point = first_code_point(text_);
      append(word, point.value);
      text_.remove_prefix(point.size);
    }
    return false;
  }

  bool escape(std::string& word) {
    if (text_.empty()) return false;
    const char letter = text_.front();
    text_.remove_prefix(1);
    switch (letter) {
      case '"':
      case '\\':
      case '/':
        word += letter;
        return true;
      case 'b':
        word += '\b';
        return true;
      case 'f':
        word += '\f';
        return true;
      case 'n':
        word += '\n';
        return true;
      case 'r':
        word += '\r';
        return true;
      case 't':
        word += '\t';
        return true;
      case 'u':
        return unicode_escape(word);
      default:
        return false;
    }
  }

  std::optional<char32_t> hex4(std::string_view text) const {
    if (text.size() < 4) return std::nullopt;
    char32_t value = 0;
    for (const char digit : text.substr(0, 4)) {
      if (!util::is_hex_digit(digit)) return std::nullopt;
      const char low = static_cast<char>(digit | 0x20);
      value = value << 4 | static_cast<char32_t>(digit <= '9' ? digit - '0' : low - 'a' + 10);
    }
    return value;
  }

  bool unicode_escape(std::string& word) {
    auto value = hex4(text_);
    if (!value) return false;
    text_.remove_prefix(4);
    if (*value >= 0xD800 && *value < 0xDC00 && text_.starts_with("\\u")) {
      const auto low = hex4(text_.substr(2));
      if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
        text_.remove_prefix(6);
        value = 0x10000 + ((*value - 0xD800) << 10) + (*low - 0xDC00);
      }
    }
    append(word, *value);
    return true;
  }

  std::string_view text_;
  std::string open_;  // the brackets that are open, outermost first
  std::vector<std::string> words_;
  bool just_opened_ = false;
  bool only_strings_ = true;
  bool number_too_large_ = false;
};

}  // namespace

std::optional<std::vector<std::string>> parse_json_words(std::string_view text) {
  text = trim_left_space(text);
  if (!text.starts_with('[')) return std::nullopt;
  ArrayReader reader(text);
  if (!reader.read()) return std::nullopt;
  if (!reader.only_strings()) {
    throw SyntaxError("when using JSON array syntax, arrays must be comprised of strings only",
                      std::string(text));
  }
  return reader.take_words();
}

}  // namespace dockerfile
