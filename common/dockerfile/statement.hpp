// One instruction's words, by the grammar of its keyword, before flags and values are judged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/dockerfile/heredoc.hpp"
#include "common/dockerfile/lines.hpp"
#include "common/dockerfile/source.hpp"

namespace dockerfile {

struct Statement {
  std::string keyword;             // as written
  std::vector<std::string> flags;  // "--name[=value]"
  // By keyword: of ENV and LABEL three for each pair (name, value, "=" or nothing if a blank stood between);
  // of HEALTHCHECK its type first; of ONBUILD the trigger's keyword first.
  std::vector<std::string> arguments;
  bool is_json = false;  // the arguments, or the trigger's, stood in a JSON array
  std::vector<Heredoc> heredocs;
  std::string text;  // the whole logical line
  Location location;
  std::vector<std::string> comments;

  // The text without white space around: what history and progress show.
  std::string code() const;
};

struct Statements {
  Directives directives;
  std::vector<Statement> statements;
  std::vector<int> empty_continuations;  // lines at which instructions with a blank line inside end
};

// All instructions of a file, known or not. Throws SyntaxError with its location for wrong directives,
// malformed pairs, heredocs that do not end, lines that are too long, and a file without instructions.
Statements parse_statements(std::string_view text);

// The keywords there are, in capitals and in order.
const std::vector<std::string>& keywords();

}  // namespace dockerfile
