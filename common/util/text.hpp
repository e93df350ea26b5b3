// Small questions about text: splitting, trimming, quoting for people, numbers, the nearest of several names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace util {

// Every piece between separators, empty ones included: "a,,b" gives "a", "", "b"; "" gives one empty piece.
std::vector<std::string> split(std::string_view text, char separator);

// Without blanks (space, tab, CR, LF, VT, FF) at either end.
std::string_view trim(std::string_view text);

// The pieces joined with `separator` between them.
std::string join(const std::vector<std::string>& pieces, std::string_view separator);

// `text` with every byte that could move a cursor or break a line as \n, \t, \r, \\ or \xNN. Valid UTF-8
// beyond ASCII is kept, invalid bytes are escaped. At most `limit` bytes of input are shown, then "...".
std::string escape(std::string_view text, std::size_t limit = 512);

// `escape`d text between single quotes: how messages show what the user wrote.
std::string quote(std::string_view text);

// `text` with every byte that a terminal would obey, and every one that is no UTF-8, as \xNN; line breaks and
// tabs stay. For what is shown whole, perhaps with bytes of others in it.
std::string for_terminal(std::string_view text);

// Letters of ASCII alone have a case here.
bool equal_without_case(std::string_view a, std::string_view b);

// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

// A whole decimal number: digits only, no sign, no blanks. Nothing if it is not one or does not fit.
std::optional<std::uint64_t> parse_uint(std::string_view text);

// Go's strconv.ParseBool: 1, t, T, true, True, TRUE and their opposites.
std::optional<bool> parse_bool(std::string_view text);

// The candidate with the smallest edit distance to `name`, if it is near enough to be a slip of the hand: at
// most a third of the longer name's length, and at most `limit`. A transposition counts as one edit.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates,
                                   std::size_t limit = 3);

// "; did you mean 'gzip'?" for the nearest() of `candidates`, else "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

// A number with so many decimals, at most 9: "0.30".
std::string fixed(double value, int decimals);

// A size for people in binary units with one decimal: "812 B", "1.4 MiB".
std::string human_size(std::uint64_t bytes);

}  // namespace util
