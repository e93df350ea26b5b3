// Variables, quotes and escapes in the words of a Dockerfile, expanded as BuildKit's shell lexer does.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/dockerfile/environment.hpp"

namespace dockerfile {

struct Expansion {
  std::string text;
  std::set<std::string> found;    // variables that were looked up and are set
  std::set<std::string> missing;  // variables that were looked up and are not
};

struct ExpandOptions {
  char escape = '\\';
  bool keep_quotes = false;    // quotes group but stay in the result
  bool keep_escapes = false;   // escapes protect but stay in the result
  bool ignore_quotes = false;  // a quote is a character like any other: bodies of heredocs
  bool keep_unset = false;     // a variable that is not set stays as written
};

// `word` with $NAME, ${NAME} and the operators - :- + :+ ? :? # ## % %% / // carried out, quotes and escapes
// resolved. Throws SyntaxError `failed to process "WORD": REASON` for a malformed word, an unset variable
// with ?, a bad pattern, and a result that is more than largest_growth longer than `word`.
Expansion expand(std::string_view word, const Environment& environment, const ExpandOptions& options);
Expansion expand(std::string_view word, const Environment& environment, char escape);

// The same, and the result cut into words at white space that was neither quoted nor escaped; values of
// unquoted variables are cut too. An empty word, even quoted, is dropped.
std::vector<std::string> expand_words(std::string_view text, const Environment& environment,
                                      const ExpandOptions& options);

}  // namespace dockerfile
