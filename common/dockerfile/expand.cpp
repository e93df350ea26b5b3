// The lexer of words: a recursive descent over code points, the way a shell reads them.
#include "common/dockerfile/expand.hpp"

#include <utility>

#include "common/dockerfile/budget.hpp"
#include "common/dockerfile/glob.hpp"
#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

constexpr char32_t end_of_text = 0xFFFFFFFF;
constexpr int deepest_expansion = 1000;  // nested ${...}: more of them would overflow the stack

std::string text_of(char32_t character) {
  std::string text;
  append(text, character == end_of_text ? replacement : character);
  return text;
}

SyntaxError too_large() {
  return SyntaxError("the value becomes larger than 1 MiB");
}

class Lexer {
public:
  // `cuts`: the result is wanted as words too.
  Lexer(std::string_view word, const Environment& environment, const ExpandOptions& options, bool cuts)
      : word_(decode(word)),
        environment_(environment),
        options_(options),
        escape_(static_cast<unsigned char>(options.escape)),
        keep_escapes_(options.keep_escapes),
        cuts_(cuts),
        largest_(word.size() + largest_growth) {
    // A byte order mark at the start is no part of the text.
    if (!word_.empty() && word_.front() == 0xFEFF) position_ = 1;
  }

  struct Result {
    std::string text;
    std::vector<std::string> words;
  };

  // Reads up to the unprotected character `stop`, which is taken too.
  Result read(char32_t stop, bool keep_escapes);

  std::set<std::string> found;
  std::set<std::string> missing;

private:
  // Collects the words of one call of read().
  //
  // BuildKit keeps the unfinished word in one buffer for all nesting levels, and empties it whenever a ${...}
  // with an operator begins: "80${x:-81}" is the word "81". EXPOSE and heredocs can tell.
  struct Words {
    std::string& unfinished;
    bool wanted;
    std::vector<std::string> finished = {};
    bool in_word = false;

    void add(char32_t character) {
      if (!wanted) return;
      if (!is_space(character)) return add_protected(character);
      if (!in_word || unfinished.empty()) return;
      finished.push_back(std::exchange(unfinished, ""));
      in_word = false;
    }
    void add_protected(char32_t character) {
      if (!wanted) return;
      append(unfinished, character);
      in_word = true;
    }
    void add_protected(const std::string& text) {
      if (!wanted) return;
      unfinished += text;
      in_word = true;
    }
    std::vector<std::string> take() {
      if (!unfinished.empty()) finished.push_back(std::exchange(unfinished, ""));
      return std::move(finished);
    }
  };

  char32_t peek() const { return position_ < word_.size() ? word_[position_] : end_of_text; }
  char32_t next() { return position_ < word_.size() ? word_[position_++] : end_of_text; }

  void read_plain(std::string& text, Words& words);
  std::string single_quoted();
  std::string double_quoted();
  std::string dollar();
  std::string value_of_dollar();
  std::string braces();
  std::string with_operator(const std::string& name, char32_t sign, bool empty_is_unset);
  std::string with_replacement(const std::string& name);
  std::string heredoc_mark();
  std::string name();
  std::string operand(char32_t stop, bool keep_escapes, const char* what_is_missing);
  std::optional<std::string> value_of(const std::string& name);

  std::u32string word_;
  const Environment& environment_;
  const ExpandOptions& options_;
  char32_t escape_;
  bool keep_escapes_;
  bool cuts_;
  std::size_t largest_;       // that a text may become
  std::size_t produced_ = 0;  // by all variables together, nested ones too
  std::string unfinished_word_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

Lexer::Result Lexer::read(char32_t stop, bool keep_escapes) {
  const bool kept_before = std::exchange(keep_escapes_, keep_escapes);
  std::string text;
  unfinished_word_.clear();
  Words words{unfinished_word_, cuts_};
  while (peek() != stop) {
    const char32_t character = peek();
    if (character == end_of_text) {
      throw SyntaxError("unexpected end of statement while looking for matching " + text_of(stop));
    }
    if (character == '$') {
      const std::string value = dollar();
      text += value;
      if (text.size() > largest_) throw too_large();
      if (cuts_) {
        for (const char32_t each : decode(value))
          words.add(each);
      }
    } else if (character == '<' || (!options_.ignore_quotes && (character == '\'' || character == '"'))) {
      const std::string piece = character == '<'   ? heredoc_mark()
                                : character == '"' ? double_quoted()
                                                   : single_quoted();
      text += piece;
      words.add_protected(piece);
    } else {
      read_plain(text, words);
    }
  }
  next();
  keep_escapes_ = kept_before;
  return {std::move(text), words.take()};
}

void Lexer::read_plain(std::string& text, Words& words) {
  char32_t character = next();
  if (character != escape_) {
    words.add(character);
  } else {
    if (keep_escapes_) {
      words.add_protected(character);
      append(text, character);
    }
    character = next();
    if (character == end_of_text) return;
    words.add_protected(character);
  }
  append(text, character);
}

std::string Lexer::single_quoted() {
  std::string text;
  if (options_.keep_quotes) text += '\'';
  next();
  for (;;) {
    const char32_t character = next();
    if (character == end_of_text) {
      throw SyntaxError("unexpected end of statement while looking for matching single-quote");
    }
    if (character == '\'') break;
    append(text, character);
  }
  if (options_.keep_quotes) text += '\'';
  return text;
}

std::string Lexer::double_quoted() {
  std::string text;
  if (options_.keep_quotes) text += '"';
  next();
  for (;;) {
    if (peek() == '$') {
      text += dollar();
      if (text.size() > largest_) throw too_large();
      continue;
    }
    char32_t character = next();
    if (character == end_of_text) {
      throw SyntaxError("unexpected end of statement while looking for matching double-quote");
    }
    if (character == '"') break;
    if (character == escape_) {
      if (keep_escapes_) append(text, character);
      const char32_t protected_character = peek();
      if (protected_character == end_of_text) continue;
      if (protected_character == '"' || protected_character == '$' || protected_character == escape_) {
        character = next();
      }
    }
    append(text, character);
  }
  if (options_.keep_quotes) text += '"';
  return text;
}

// Values count on every level of nesting: none may be kept, but all are held at once.
std::string Lexer::dollar() {
  auto value = value_of_dollar();
  produced_ += value.size();
  if (value.size() > largest_ || produced_ > 8 * largest_) throw too_large();
  return value;
}

std::string Lexer::value_of_dollar() {
  next();
  if (peek() == '{') return braces();
  const std::string variable = name();
  if (variable.empty()) return "$";
  const auto value = value_of(variable);
  if (!value && options_.keep_unset) return "$" + variable;
  return value.value_or("");
}

std::string Lexer::braces() {
  next();
  if (peek() == end_of_text) throw SyntaxError("syntax error: missing '}'");
  if (peek() == '{' || peek() == '}' || peek() == ':') throw SyntaxError("syntax error: bad substitution");
  const std::string variable = name();
  char32_t sign = next();
  switch (sign) {
    case '}': {
      const auto value = value_of(variable);
      if (!value && options_.keep_unset) return "${" + variable + "}";
      return value.value_or("");
    }
    case ':':
      sign = next();
      return with_operator(variable, sign, true);
    case '+':
    case '-':
    case '?':
    case '#':
    case '%':
      return with_operator(variable, sign, false);
    case '/':
      return with_replacement(variable);
    default:
      throw SyntaxError("unsupported modifier (" + text_of(sign) + ") in substitution");
  }
}

std::string Lexer::operand(char32_t stop, bool keep_escapes, const char* what_is_missing) {
  if (++depth_ > deepest_expansion) throw SyntaxError("syntax error: substitutions are nested too deeply");
  try {
    auto result = read(stop, keep_escapes);
    --depth_;
    return std::move(result.text);
  } catch (const SyntaxError&) {
    if (peek() == end_of_text) throw SyntaxError(what_is_missing);
    throw;
  }
}

std::string Lexer::with_operator(const std::string& variable, char32_t sign, bool empty_is_unset) {
  const std::string modifier = (empty_is_unset ? ":" : "") + text_of(sign);
  const bool is_pattern = sign == '#' || sign == '%';
  const SyntaxError unsupported("unsupported modifier (" + modifier + ") in substitution");
  if (empty_is_unset && is_pattern) throw unsupported;
  std::string word = operand('}', is_pattern, "syntax error: missing '}'");
  const auto value = value_of(variable);
  if (!value && options_.keep_unset) return "${" + variable + modifier + word + "}";
  const bool counts_as_set = value && !(empty_is_unset && value->empty());
  switch (sign) {
    case '-':
      return counts_as_set ? *value : word;
    case '+':
      return counts_as_set ? word : "";
    case '?':
      if (counts_as_set) return *value;
      if (word.empty()) word = value ? "is not allowed to be empty" : "is not allowed to be unset";
      throw SyntaxError(variable + ": " + word);
    case '#':
    case '%':
      break;
    default:
      throw unsupported;
  }
  auto length = Glob::Length::shortest;
  std::string_view pattern = word;
  if (!pattern.empty() && static_cast<char32_t>(pattern.front()) == sign) {
    length = Glob::Length::longest;
    pattern.remove_prefix(1);
  }
  try {
    const Glob glob(decode(pattern));
    const std::u32string text = decode(value.value_or(""));
    return encode(sign == '#' ? glob.without_prefix(text, length) : glob.without_suffix(text, length));
  } catch (const SyntaxError& error) {
    throw SyntaxError("invalid pattern (" + std::string(pattern) + ") in substitution: " + error.what());
  }
}

std::string Lexer::with_replacement(const std::string& variable) {
  auto occurrences = Glob::Occurrences::first;
  if (peek() == '/') {
    next();
    occurrences = Glob::Occurrences::all;
  }
  const std::string pattern = operand('/', true, "syntax error: missing '/' in ${}");
  const std::string substitute = operand('}', true, "syntax error: missing '}'");
  const auto value = value_of(variable);
  if (!value && options_.keep_unset) return "${" + variable + "/" + pattern + "/" + substitute + "}";
  try {
    return encode(Glob(decode(pattern)).replace(decode(value.value_or("")), decode(substitute), occurrences));
  } catch (const SyntaxError& error) {
    throw SyntaxError("invalid pattern (" + pattern + ") in substitution: " + error.what());
  }
}

// "<<" and blanks behind it hold together with the word that follows: a heredoc may be written "<< EOF".
std::string Lexer::heredoc_mark() {
  next();
  if (peek() != '<') return "<";
  next();
  std::string text = "<<";
  while (peek() == '\t' || peek() == '\r' || peek() == ' ')
    append(text, next());
  return text;
}

// A name, a number, or one of the shell's special parameters; empty if none of them comes next.
std::string Lexer::name() {
  std::string text;
  if (is_digit(peek())) {
    while (is_digit(peek()))
      append(text, next());
    return text;
  }
  constexpr std::u32string_view special = U"@*#?-$!";
  if (special.find(peek()) != std::u32string_view::npos) {
    append(text, next());
    return text;
  }
  while (is_letter(peek()) || is_digit(peek()) || peek() == '_')
    append(text, next());
  return text;
}

std::optional<std::string> Lexer::value_of(const std::string& variable) {
  const auto value = environment_.get(variable);
  (value ? found : missing).insert(variable);
  if (!value) return std::nullopt;
  return std::string(*value);
}

struct Expanded {
  Expansion expansion;
  std::vector<std::string> words;
};

Expanded process(std::string_view word, const Environment& environment, const ExpandOptions& options,
                 bool cuts) {
  Lexer lexer(word, environment, options, cuts);
  try {
    auto result = lexer.read(end_of_text, options.keep_escapes);
    return {{std::move(result.text), std::move(lexer.found), std::move(lexer.missing)},
            std::move(result.words)};
  } catch (const SyntaxError& error) {
    throw SyntaxError("failed to process " + in_quotes(word) + ": " + error.what(), std::string(word));
  }
}

}  // namespace

Expansion expand(std::string_view word, const Environment& environment, const ExpandOptions& options) {
  return process(word, environment, options, false).expansion;
}

Expansion expand(std::string_view word, const Environment& environment, char escape) {
  ExpandOptions options;
  options.escape = escape;
  return expand(word, environment, options);
}

std::vector<std::string> expand_words(std::string_view text, const Environment& environment,
                                      const ExpandOptions& options) {
  return process(text, environment, options, true).words;
}

}  // namespace dockerfile
