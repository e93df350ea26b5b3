// Variables, quotes and escapes in the words of a Dockerfile, expanded as BuildKit's shell lexer does.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dockerfile {

// Names and values in the order they were last set, each name once. Names are case-sensitive.
class Environment {
public:
  struct Variable {
    std::string name;
    std::string value;

    friend bool operator==(const Variable&, const Variable&) = default;
  };

  // A name that is set again moves to the end.
  void set(const std::string& name, const std::string& value);
  std::optional<std::string_view> get(std::string_view name) const;
  const std::vector<Variable>& variables() const noexcept { return variables_; }
  std::vector<std::string> names() const;

private:
  std::vector<Variable> variables_;
};

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
// with ? and a bad pattern.
Expansion expand(std::string_view word, const Environment& environment, const ExpandOptions& options);
Expansion expand(std::string_view word, const Environment& environment, char escape);

// The same, and the result cut into words at white space that was neither quoted nor escaped; values of
// unquoted variables are cut too. An empty word, even quoted, is dropped.
std::vector<std::string> expand_words(std::string_view text, const Environment& environment,
                                      const ExpandOptions& options);

}  // namespace dockerfile
