// The patterns of ${x#p}, ${x%p} and ${x/p/r}: only * and ? are special.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dockerfile {

// What does the matching throws SyntaxError where pattern and text are too long for it: 2^28 steps.
class Glob {
public:
  // `\*`, `\?` and `\\` are the characters themselves, `\/` and `\}` too. Throws SyntaxError
  // `invalid escape '\c'` for any other escape.
  explicit Glob(std::u32string_view pattern);

  enum class Length { shortest, longest };

  // `text` without its shortest or longest matching start or end.
  std::u32string without_prefix(std::u32string_view text, Length length) const;
  std::u32string without_suffix(std::u32string_view text, Length length) const;

  enum class Occurrences { first, all };
  // The longest match from the left replaced by `replacement`, whose `$1`, `${name}` and `$$` mean, where all
  // matches are replaced, what they mean in Go's regexp.ReplaceAllString: nothing, nothing, and one `$`.
  std::u32string replace(std::u32string_view text, std::u32string_view replacement,
                         Occurrences occurrences) const;

private:
  enum class Kind { literal, any, star };
  struct Item {
    Kind kind;
    char32_t character;
  };

  class Table;

  explicit Glob(std::vector<Item> items) : items_(std::move(items)) {}

  std::vector<Item> items_;
};

}  // namespace dockerfile
