// Go's filepath.Match.
#include <optional>
#include <tuple>
#include <utility>

#include "common/context/pattern.hpp"
#include "common/util/error.hpp"
#include "common/util/utf8.hpp"

namespace context {
namespace {

using util::first_code_point;

[[noreturn]] void refuse() {
  throw util::Error("syntax error in pattern");
}

// One character of a class, protected or not; something must follow it, at least the closing bracket.
char32_t take_class_character(std::string_view& pattern) {
  if (pattern.empty() || pattern.front() == '-' || pattern.front() == ']') refuse();
  if (pattern.front() == '\\') pattern.remove_prefix(1);
  if (pattern.empty()) refuse();
  const auto character = first_code_point(pattern);
  if (!character.valid) refuse();
  pattern.remove_prefix(character.size);
  if (pattern.empty()) refuse();
  return character.value;
}

// Reads a class behind its opening bracket; tells whether it holds `wanted`.
bool take_class(std::string_view& pattern, std::optional<char32_t> wanted) {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  bool first = true;
  while (first || !pattern.starts_with(']')) {
    first = false;
    const char32_t low = take_class_character(pattern);
    char32_t high = low;
    if (pattern.front() == '-') {
      pattern.remove_prefix(1);
      high = take_class_character(pattern);
    }
    found = found || (wanted && low <= *wanted && *wanted <= high);
  }
  pattern.remove_prefix(1);
  return found != negated;
}

// Matches one element that is no star against the start of `name`, and takes both. Goes on reading the
// pattern when nothing can match any more, to see that it is well-formed.
bool take_element(std::string_view& pattern, std::string_view& name) {
  std::optional<char32_t> next;
  std::size_t size = 0;
  if (!name.empty()) {
    next = first_code_point(name).value;
    size = first_code_point(name).size;
  }
  bool matched = false;
  if (pattern.front() == '[') {
    pattern.remove_prefix(1);
    matched = take_class(pattern, next) && next.has_value();
  } else if (pattern.front() == '?') {
    pattern.remove_prefix(1);
    matched = next && *next != '/';
  } else {
    if (pattern.front() == '\\') pattern.remove_prefix(1);
    if (pattern.empty()) refuse();
    matched = next && pattern.front() == name.front();
    pattern.remove_prefix(1);
    size = 1;
  }
  if (matched) name.remove_prefix(size);
  return matched;
}

}  // namespace

void check_glob(std::string_view pattern) {
  std::string_view nothing;
  while (!pattern.empty()) {
    if (pattern.front() == '*') {
      pattern.remove_prefix(1);
    } else {
      take_element(pattern, nothing);
    }
  }
}

bool matches_glob(std::string_view pattern, std::string_view name) {
  check_glob(pattern);
  // Where to go back to when an element does not match: behind the last star, one more character on.
  std::optional<std::pair<std::string_view, std::string_view>> retry;
  for (;;) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      retry = {pattern, name};
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty() && take_element(pattern, name)) continue;
    if (!retry || retry->second.empty() || retry->second.front() == '/') return false;
    retry->second.remove_prefix(1);
    std::tie(pattern, name) = *retry;
  }
}

bool has_wildcards(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\') {
      ++i;
    } else if (name[i] == '*' || name[i] == '?' || name[i] == '[') {
      return true;
    }
  }
  return false;
}

}  // namespace context
