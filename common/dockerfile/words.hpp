// How the rest of an instruction's line falls into pieces: flags, words, JSON arrays.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockerfile {

// One logical line, taken apart before anything is known about the instruction.
struct SplitLine {
  std::string keyword;             // as written
  std::vector<std::string> flags;  // "--name" or "--name=value", quotes and escapes resolved
  std::string rest;                // without white space at either end
};
SplitLine split_line(std::string_view line, char escape);

// Words of ENV, LABEL and ARG: white space ends a word unless quoted or escaped; quotes and escapes stay in
// the word, but for an escape at the very end.
std::vector<std::string> split_quoted_words(std::string_view text, char escape);

// Pieces between runs of tabs, spaces, VT, FF and CR; no other character separates. Empty text gives nothing.
std::vector<std::string> split_blanks(std::string_view text);
// The first piece and everything after the first run; nothing if there is no such run.
std::optional<std::pair<std::string, std::string>> cut_blanks(std::string_view text);

// A JSON array of strings, white space before it allowed; nothing if `text` is not well-formed JSON or no
// array. Throws SyntaxError if it is an array that holds something other than strings.
std::optional<std::vector<std::string>> parse_json_words(std::string_view text);

// The fields of one line of comma-separated values (RFC 4180). Throws SyntaxError in the words of Go's CSV
// reader, and for an empty line.
std::vector<std::string> split_csv(std::string_view line);

}  // namespace dockerfile
