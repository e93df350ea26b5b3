// Text as the Dockerfile language sees it: code points, classed and quoted the way Go does, because errors,
// history entries and the ends of variable names depend on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/util/utf8.hpp"

namespace dockerfile {

using util::CodePoint;
using util::first_code_point;
using util::replacement;

inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
inline constexpr std::string_view blanks = "\t\n\f\r ";  // what \s of Go's regular expressions takes

// One code point per character of well-formed UTF-8, `replacement` for every other byte.
std::u32string decode(std::string_view text);
// UTF-8; surrogates and numbers beyond U+10FFFF become `replacement`.
std::string encode(std::u32string_view text);
void append(std::string& text, char32_t code_point);

bool is_space(char32_t code_point);      // white space of any script, line breaks included
bool is_letter(char32_t code_point);     // categories Lu, Ll, Lt, Lm, Lo
bool is_digit(char32_t code_point);      // category Nd
bool is_printable(char32_t code_point);  // letters, marks, numbers, punctuation, symbols, and the space

// Without white space of any script at either end.
std::string_view trim_space(std::string_view text);
std::string_view trim_left_space(std::string_view text);

// ASCII letters only.
std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool equal_fold(std::string_view a, std::string_view b);

// `text` between double quotes with everything escaped that is not printable: Go's %q.
std::string in_quotes(std::string_view text);
// `["a" "b"]`: Go's %q of a list.
std::string words_in_quotes(const std::vector<std::string>& words);
// `[a b]`: Go's %v of a list.
std::string plain_list(const std::vector<std::string>& words);

// The candidate whose edit distance to `name` is smallest and below 3, the first of equals; empty if there is
// none or if `name` is itself a candidate. Unless `case_sensitive`, the answer is in the case of `name`.
enum class Case { sensitive, insensitive };
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates,
                       Case letters = Case::sensitive);
// " (did you mean X?)", or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates,
                         Case letters = Case::sensitive);

}  // namespace dockerfile
