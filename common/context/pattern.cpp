// Translation and matching of ignore patterns.
#include "common/context/pattern.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/dockerfile/text.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace context {
namespace {

using Range = std::pair<char32_t, char32_t>;

constexpr char32_t last_character = 0x10FFFF;

std::optional<std::vector<Range>> named_set(char32_t letter) {
  switch (letter) {
    case 'd':
      return std::vector<Range>{{'0', '9'}};
    case 'w':
      return std::vector<Range>{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    case 's':
      return std::vector<Range>{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
    default:
      return std::nullopt;
  }
}

std::vector<Range> complement(const std::vector<Range>& sorted) {
  std::vector<Range> others;
  char32_t next = 0;
  for (const auto& [first, last] : sorted) {
    if (first > next) others.emplace_back(next, first - 1);
    next = last + 1;
  }
  others.emplace_back(next, last_character);
  return others;
}

}  // namespace

// Turns a pattern into the regular expression that moby/patternmatcher makes of it, and that into items.
//
// The expression is built as text first, because the translation has quirks that only its text explains:
// wildcards are translated inside brackets too, '^' is an anchor outside them, and a backslash before a
// letter makes a class ("\d"). Expressions can hold characters, classes, '.', '*' behind one of these,
// "(.*/)?", and
// '^'; nothing else comes out of the translation.
class Pattern::Compiler {
public:
  explicit Compiler(const std::string& pattern) : pattern_(dockerfile::decode(pattern)) {}

  Kind translate() {
    for (std::size_t i = 0; i < pattern_.size(); ++i) {
      const bool first = i == 0;
      const char32_t character = pattern_[i];
      if (character == '*') {
        translate_star(i, first);
      } else if (character == '?') {
        expression_ += U"[^/]";
        kind_ = Kind::expression;
      } else if (std::u32string_view(U".+()|{}$").find(character) != std::u32string_view::npos) {
        expression_ += U'\\';
        expression_ += character;
      } else if (character == '\\') {
        expression_ += character;
        if (i + 1 < pattern_.size()) {
          expression_ += pattern_[++i];
          kind_ = Kind::expression;
        }
      } else {
        if (character == '[' || character == ']') kind_ = Kind::expression;
        expression_ += character;
      }
    }
    return kind_;
  }

  std::vector<Item> compile() {
    rest_ = expression_;
    while (!rest_.empty()) {
      if (take(U"(.*/)?")) {
        items_.push_back({Step::optional_start, {}, items_.size() + 3});
        items_.push_back({Step::many, any()});
        items_.push_back({Step::one, {{{'/', '/'}}}});
        items_.push_back({Step::optional_end});
      } else if (take(U"^")) {
        items_.push_back({Step::beginning});
      } else {
        Set set = read_atom();
        items_.push_back({take(U"*") ? Step::many : Step::one, std::move(set)});
      }
    }
    return std::move(items_);
  }

private:
  void translate_star(std::size_t& i, bool first) {
    const auto next_is = [&](char32_t wanted) {
      return i + 1 < pattern_.size() && pattern_[i + 1] == wanted;
    };
    if (!next_is('*')) {
      expression_ += U"[^/]*";
      kind_ = Kind::expression;
      return;
    }
    ++i;
    if (next_is('/')) ++i;
    if (i + 1 < pattern_.size()) {
      expression_ += U"(.*/)?";
      kind_ = Kind::expression;
    } else if (kind_ == Kind::exact) {
      kind_ = Kind::prefix;
    } else {
      expression_ += U".*";
      kind_ = Kind::expression;
    }
    if (first) kind_ = Kind::suffix;
  }

  [[noreturn]] static void refuse() { throw util::Error("syntax error in pattern"); }

  static Set any() { return {{{'\n', '\n'}}, true}; }

  bool take(std::u32string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  char32_t take_one() {
    if (rest_.empty()) refuse();
    const char32_t character = rest_.front();
    rest_.remove_prefix(1);
    return character;
  }

  Set read_atom() {
    const char32_t character = take_one();
    if (character == '[') return read_class();
    if (character == '.') return any();
    if (character == '*') refuse();
    if (character == '\\') return {read_escape(), false};
    return {{{character, character}}, false};
  }

  // What follows a backslash: a named class, a control character, or the character itself.
  std::vector<Range> read_escape() {
    const char32_t character = take_one();
    if (auto set = named_set(character)) return *set;
    if (character < 0x80) {
      if (auto set = named_set(character | 0x20); set && character < 'a') return complement(*set);
    }
    constexpr std::array<std::pair<char, char>, 6> controls = {
        {{'a', '\a'}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'}}};
    for (const auto& [letter, control] : controls) {
      if (character == static_cast<char32_t>(letter)) {
        return {{static_cast<char32_t>(control), static_cast<char32_t>(control)}};
      }
    }
    const bool is_word = dockerfile::is_letter(character) || dockerfile::is_digit(character);
    if (character < 0x80 && is_word) refuse();
    return {{character, character}};
  }

  Set read_class() {
    Set set;
    set.negated = take(U"^");
    for (bool first = true; first || !take(U"]"); first = false) {
      if (rest_.starts_with(U"[:")) refuse();  // a class by name, which the syntax of globs does not know
      auto ranges = take(U"\\") ? read_escape() : std::vector<Range>{single(take_one())};
      if (ranges.size() == 1 && ranges[0].first == ranges[0].second && rest_.size() > 1 && rest_[0] == '-' &&
          rest_[1] != ']') {
        rest_.remove_prefix(1);
        const auto high = take(U"\\") ? read_escape() : std::vector<Range>{single(take_one())};
        if (high.size() != 1 || high[0].first < ranges[0].first) refuse();
        ranges[0].second = high[0].first;
      }
      set.ranges.insert(set.ranges.end(), ranges.begin(), ranges.end());
    }
    return set;
  }

  static Range single(char32_t character) { return {character, character}; }

  std::u32string pattern_;
  std::u32string expression_;
  std::u32string_view rest_;
  std::vector<Item> items_;
  Kind kind_ = Kind::exact;
};

bool Pattern::Set::contains(char32_t character) const {
  const bool found = std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return range.first <= character && character <= range.second;
  });
  return found != negated;
}

Pattern::Pattern(std::string text, bool is_exception) : text_(std::move(text)), is_exception_(is_exception) {
  util::with_context("ignore pattern " + util::quote(text_), [&] {
    check_glob(text_);
    Compiler compiler(text_);
    kind_ = compiler.translate();
    if (kind_ == Kind::expression) items_ = compiler.compile();
  });
}

bool Pattern::matches(std::string_view path) const {
  const std::string_view text = text_;
  switch (kind_) {
    case Kind::exact:
      return path == text;
    case Kind::prefix:
      return path.starts_with(text.substr(0, text.size() - 2));
    case Kind::suffix: {
      const auto suffix = text.substr(2);
      return path.ends_with(suffix) || (suffix.starts_with('/') && path == suffix.substr(1));
    }
    case Kind::expression:
      break;
  }
  return matches_expression(dockerfile::decode(path));
}

// All places of the expression are followed at once, so time is linear in the path's length.
bool Pattern::matches_expression(std::u32string_view path) const {
  std::vector<bool> places(items_.size() + 1);
  bool at_beginning = true;
  // From a place to all that can be reached without taking a character: they only lie further on.
  const auto spread = [&] {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!places[i]) continue;
      switch (items_[i].step) {
        case Step::one:
          break;
        case Step::beginning:
          if (at_beginning) places[i + 1] = true;
          break;
        case Step::optional_start:
          places[items_[i].end] = true;
          places[i + 1] = true;
          break;
        case Step::many:
        case Step::optional_end:
          places[i + 1] = true;
          break;
      }
    }
  };
  places[0] = true;
  spread();
  for (const char32_t character : path) {
    at_beginning = false;
    std::vector<bool> next(places.size());
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!places[i] || !items_[i].set.contains(character)) continue;
      if (items_[i].step == Step::one) next[i + 1] = true;
      if (items_[i].step == Step::many) next[i] = true;
    }
    places.swap(next);
    spread();
  }
  return places.back();
}

}  // namespace context
