// Matching of the patterns in substitutions.
#include "common/dockerfile/glob.hpp"

#include <algorithm>

#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

std::u32string reversed(std::u32string_view text) {
  return {text.rbegin(), text.rend()};
}

// Neither * nor ? stands for a line break: they are the dot of Go's regular expressions.
bool is_any(char32_t character) {
  return character != '\n';
}

// The lexer has a limit of its own; this one keeps memory small until it is asked.
void check_size(const std::u32string& result) {
  constexpr std::size_t most = 8 << 20;
  if (result.size() > most) throw SyntaxError("the value becomes larger than 1 MiB");
}

// The template language of regexp.ReplaceAllString for an expression without groups.
std::u32string filled_in(std::u32string_view text, std::u32string_view match) {
  std::u32string result;
  while (!text.empty()) {
    check_size(result);
    if (text.front() != '$') {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.substr(1).starts_with('$')) {
      result += '$';
      text.remove_prefix(2);
      continue;
    }
    const bool braced = text.substr(1).starts_with('{');
    const std::size_t start = braced ? 2 : 1;
    std::size_t end = start;
    while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]) || text[end] == '_'))
      ++end;
    const std::u32string_view name = text.substr(start, end - start);
    if (name.empty() || (braced && (end == text.size() || text[end] != '}'))) {
      result += '$';
      text.remove_prefix(1);
      continue;
    }
    if (name.find_first_not_of('0') == std::u32string_view::npos) result += match;
    text.remove_prefix(end + (braced ? 1 : 0));
  }
  return result;
}

}  // namespace

Glob::Glob(std::u32string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char32_t character = pattern[i];
    if (character == '*') {
      items_.push_back({Kind::star, character});
    } else if (character == '?') {
      items_.push_back({Kind::any, character});
    } else {
      if (character == '\\') {
        character = ++i < pattern.size() ? pattern[i] : replacement;
        if (std::u32string_view(U"}/*?\\").find(character) == std::u32string_view::npos) {
          std::string message = "invalid escape '\\";
          append(message, character);
          throw SyntaxError(message + "'");
        }
      }
      items_.push_back({Kind::literal, character});
    }
  }
}

// Which tails of a glob match at which places of one text. Filling the table first keeps matching linear in
// pattern times text, where backtracking could take exponential time.
class Glob::Table {
public:
  Table(const std::vector<Item>& items, std::u32string_view text)
      : items_(items), text_(text), width_(text.size() + 1), possible_(cells(items, text)) {
    for (std::size_t place = 0; place < width_; ++place)
      at(items.size(), place) = true;
    for (std::size_t item = items.size(); item-- > 0;) {
      for (std::size_t place = width_; place-- > 0;)
        at(item, place) = fits(item, place);
    }
  }

  bool matches_at(std::size_t place) { return at(0, place); }

  // Where the match that begins at `place` ends; each star in turn takes as little or as much as it can.
  std::size_t end_from(std::size_t place, Length length) {
    for (std::size_t item = 0; item < items_.size(); ++item) {
      if (items_[item].kind != Kind::star) {
        ++place;
        continue;
      }
      std::size_t chosen = width_;
      for (std::size_t end = place; end < width_; ++end) {
        if (at(item + 1, end)) chosen = end;
        if (chosen == end && length == Length::shortest) break;
        if (end == text_.size() || !is_any(text_[end])) break;
      }
      place = chosen;
    }
    return place;
  }

private:
  // A bit each, and the time to fill it.
  static std::size_t cells(const std::vector<Item>& items, std::u32string_view text) {
    constexpr std::size_t most = std::size_t{1} << 28;
    if (items.size() + 1 > most / (text.size() + 1))
      throw SyntaxError("the pattern and the value are too long to match");
    return (items.size() + 1) * (text.size() + 1);
  }

  std::vector<bool>::reference at(std::size_t item, std::size_t place) {
    return possible_[item * width_ + place];
  }

  bool fits(std::size_t item, std::size_t place) {
    const bool more = place < text_.size();
    switch (items_[item].kind) {
      case Kind::literal:
        return more && text_[place] == items_[item].character && at(item + 1, place + 1);
      case Kind::any:
        return more && is_any(text_[place]) && at(item + 1, place + 1);
      case Kind::star:
        break;
    }
    return at(item + 1, place) || (more && is_any(text_[place]) && at(item, place + 1));
  }

  const std::vector<Item>& items_;
  std::u32string_view text_;
  std::size_t width_;
  std::vector<bool> possible_;
};

std::u32string Glob::without_prefix(std::u32string_view text, Length length) const {
  Table table(items_, text);
  return std::u32string(table.matches_at(0) ? text.substr(table.end_from(0, length)) : text);
}

std::u32string Glob::without_suffix(std::u32string_view text, Length length) const {
  const Glob backwards(std::vector<Item>(items_.rbegin(), items_.rend()));
  return reversed(backwards.without_prefix(reversed(text), length));
}

std::u32string Glob::replace(std::u32string_view text, std::u32string_view substitute,
                             Occurrences occurrences) const {
  Table table(items_, text);
  std::u32string result;
  std::size_t done = 0;    // everything before it is in `result`
  std::size_t search = 0;  // where the next match may begin
  while (search <= text.size()) {
    std::size_t start = search;
    while (start <= text.size() && !table.matches_at(start))
      ++start;
    if (start > text.size()) break;
    const std::size_t end = table.end_from(start, Length::longest);
    result += text.substr(done, start - done);
    if (occurrences == Occurrences::first) return result.append(substitute).append(text.substr(end));
    // An empty match right behind the match before it does not count.
    if (end > done || start == 0) result += filled_in(substitute, text.substr(start, end - start));
    check_size(result);
    done = end;
    search = std::max(search + 1, end);
  }
  return result.append(text.substr(done));
}

}  // namespace dockerfile
