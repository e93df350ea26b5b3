// One pattern of a .dockerignore, with the meaning that moby/patternmatcher gives it: a translation to a
// regular expression, of which it needs only what stands here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace context {

// Go's filepath.Match: * and ? within one path element, [a-z] and [^a-z], backslash protects. The whole of
// `name` must match. Throws util::Error for a malformed pattern, whether `name` gets that far or not.
bool matches_glob(std::string_view pattern, std::string_view name);

// Throws util::Error "syntax error in pattern" for what matches_glob refuses.
void check_glob(std::string_view pattern);

// True if matches_glob could match anything but `name` itself.
bool has_wildcards(std::string_view name);

class Pattern {
public:
  // `text` is cleaned, and has no '!' in front. Throws util::Error for a malformed pattern.
  Pattern(std::string text, bool is_exception);

  const std::string& text() const noexcept { return text_; }
  // With '!' in front: what matches is in after all.
  bool is_exception() const noexcept { return is_exception_; }

  bool matches(std::string_view path) const;

private:
  enum class Kind { exact, prefix, suffix, expression };

  // A set of characters as ranges, or all others.
  struct Set {
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool negated = false;

    bool contains(char32_t character) const;
  };
  enum class Step { one, many, beginning, optional_start, optional_end };
  struct Item {
    Step step;
    Set set = {};
    std::size_t end = 0;  // of optional_start: where its optional_end is
  };

  class Compiler;

  bool matches_expression(std::u32string_view path) const;

  std::string text_;
  bool is_exception_;
  Kind kind_ = Kind::exact;
  std::vector<Item> items_;
};

}  // namespace context
