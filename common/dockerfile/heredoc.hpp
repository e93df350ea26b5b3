// Here-documents: the words that announce them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockerfile {

struct Heredoc {
  std::string name;       // the terminator, quotes removed
  bool expand = true;     // no part of the name was quoted: variables in the body count
  bool chomp = false;     // "<<-": tabs at the start of lines go
  std::string body = {};  // raw lines as they stand in the file, tabs included

  // The body as it is to be used.
  std::string content() const;
};

// `word` as a heredoc ("<<EOF", "3<<-'EOF'"); nothing if it is none. Throws SyntaxError if the name is
// malformed.
std::optional<Heredoc> parse_heredoc(std::string_view word);

// All heredocs that a line announces, in order. A line whose quotes do not close announces none.
std::vector<Heredoc> find_heredocs(std::string_view line);

}  // namespace dockerfile
