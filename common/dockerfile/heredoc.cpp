// Finding of heredocs in a line.
#include "common/dockerfile/heredoc.hpp"

#include <algorithm>

#include "common/dockerfile/expand.hpp"
#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

std::ptrdiff_t quotes_in(std::string_view word) {
  return std::count(word.begin(), word.end(), '\'') + std::count(word.begin(), word.end(), '"');
}

}  // namespace

std::string Heredoc::content() const {
  if (!chomp) return body;
  std::string content;
  bool at_line_start = true;
  for (const char byte : body) {
    if (at_line_start && byte == '\t') continue;
    content += byte;
    at_line_start = byte == '\n';
  }
  return content;
}

std::optional<Heredoc> parse_heredoc(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of("0123456789"), word.size()));
  if (!word.starts_with("<<")) return std::nullopt;
  word.remove_prefix(2);
  Heredoc heredoc;
  if (word.starts_with('-')) {
    heredoc.chomp = true;
    word.remove_prefix(1);
  }
  word.remove_prefix(std::min(word.find_first_not_of(blanks), word.size()));
  if (word.empty() || word.find('<') != std::string_view::npos) return std::nullopt;

  ExpandOptions options;
  options.keep_unset = true;
  const auto names = expand_words(word, {}, options);
  if (names.size() != 1) return std::nullopt;
  options.keep_quotes = true;
  const auto raw_names = expand_words(word, {}, options);
  if (raw_names.size() != 1) {
    throw SyntaxError("internal lexing of heredoc produced inconsistent results: " + std::string(word));
  }
  heredoc.name = names.front();
  heredoc.expand = quotes_in(names.front()) == quotes_in(raw_names.front());
  return heredoc;
}

std::vector<Heredoc> find_heredocs(std::string_view line) {
  ExpandOptions options;
  options.keep_quotes = true;
  options.keep_escapes = true;
  options.keep_unset = true;
  std::vector<std::string> words;
  try {
    words = expand_words(line, {}, options);
  } catch (const SyntaxError&) {
    // A shell may well understand what this lexer does not: the line then goes to it as it stands.
    return {};
  }
  std::vector<Heredoc> heredocs;
  for (const auto& word : words) {
    if (auto heredoc = parse_heredoc(word)) heredocs.push_back(std::move(*heredoc));
  }
  return heredocs;
}

}  // namespace dockerfile
