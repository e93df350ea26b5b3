// The grammar of each keyword.
#include "common/dockerfile/statement.hpp"

#include <algorithm>
#include <utility>

#include "common/dockerfile/text.hpp"
#include "common/dockerfile/words.hpp"

namespace dockerfile {
namespace {

struct Arguments {
  std::vector<std::string> words = {};
  bool is_json = false;
};

// ONBUILDs inside each other are refused later; reading them to any depth would overflow the stack.
constexpr int deepest_trigger = 100;

Arguments whole(std::string_view rest) {
  if (rest.empty()) return {};
  return {{std::string(rest)}};
}

Arguments json_or_whole(std::string_view rest) {
  if (auto words = parse_json_words(rest)) return {std::move(*words), true};
  return whole(rest);
}

Arguments json_or_blanks(std::string_view rest) {
  if (auto words = parse_json_words(rest)) return {std::move(*words), true};
  return {split_blanks(rest)};
}

Arguments pairs(std::string_view rest, const char* keyword, char escape) {
  const auto words = split_quoted_words(rest, escape);
  if (words.empty()) return {};
  if (words.front().find('=') == std::string::npos) {
    const auto pair = cut_blanks(rest);
    if (!pair) throw SyntaxError(std::string(keyword) + " must have two arguments");
    return {{pair->first, pair->second, ""}};
  }
  Arguments arguments;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      throw SyntaxError(
          "Syntax error - can't find = in " + in_quotes(word) + ". Must be of the form: name=value", word);
    }
    arguments.words.insert(arguments.words.end(), {word.substr(0, equals), word.substr(equals + 1), "="});
  }
  return arguments;
}

Arguments health_check(std::string_view rest) {
  // Bytes, not characters: 0x85 and 0xA0 are white space here even inside a character.
  const auto blank = [](char byte) { return is_space(static_cast<unsigned char>(byte)); };
  const auto end = std::find_if(rest.begin(), rest.end(), blank);
  if (end == rest.begin()) return {};
  const auto next = std::find_if_not(end, rest.end(), blank);
  Arguments command = json_or_whole(rest.substr(static_cast<std::size_t>(next - rest.begin())));
  command.words.insert(command.words.begin(), std::string(rest.begin(), end));
  return command;
}

Arguments parse_arguments(const std::string& keyword, std::string_view rest, char escape, int depth);

Arguments trigger_arguments(std::string_view rest, char escape, int depth) {
  if (rest.empty() || depth > deepest_trigger) return {};
  const SplitLine line = split_line(rest, escape);
  Arguments arguments = parse_arguments(upper(line.keyword), line.rest, escape, depth + 1);
  arguments.words.insert(arguments.words.begin(), line.keyword);
  return arguments;
}

Arguments parse_arguments(const std::string& keyword, std::string_view rest, char escape, int depth = 0) {
  if (keyword == "ONBUILD") return trigger_arguments(rest, escape, depth);
  if (keyword == "RUN" || keyword == "CMD" || keyword == "ENTRYPOINT" || keyword == "SHELL") {
    return json_or_whole(rest);
  }
  if (keyword == "ADD" || keyword == "COPY" || keyword == "VOLUME") return json_or_blanks(rest);
  if (keyword == "FROM" || keyword == "EXPOSE") return {split_blanks(rest)};
  if (keyword == "ENV" || keyword == "LABEL") return pairs(rest, keyword.c_str(), escape);
  if (keyword == "ARG") return {split_quoted_words(rest, escape)};
  if (keyword == "HEALTHCHECK") return health_check(rest);
  if (std::find(keywords().begin(), keywords().end(), keyword) != keywords().end()) return whole(rest);
  return {};  // an unknown keyword is refused once the whole file has been read
}

bool takes_heredocs(const std::string& keyword) {
  return keyword == "ADD" || keyword == "COPY" || keyword == "RUN";
}

// An ONBUILD takes them for its trigger. A JSON array cannot announce any.
bool may_have_heredocs(const Statement& statement) {
  if (statement.is_json || statement.text.find("<<") == std::string::npos) return false;
  const std::string keyword = upper(statement.keyword);
  if (keyword != "ONBUILD") return takes_heredocs(keyword);
  return !statement.arguments.empty() && takes_heredocs(upper(statement.arguments.front()));
}

Statement parse_statement(LogicalLine line, char escape) {
  SplitLine split = split_line(line.text, escape);
  Arguments arguments = parse_arguments(upper(split.keyword), split.rest, escape);
  Statement statement;
  statement.keyword = std::move(split.keyword);
  statement.flags = std::move(split.flags);
  statement.arguments = std::move(arguments.words);
  statement.is_json = arguments.is_json;
  statement.text = std::move(line.text);
  statement.location = line.location;
  statement.comments = std::move(line.comments);
  return statement;
}

void read_heredocs(LineReader& reader, Statement& statement) {
  if (!may_have_heredocs(statement)) return;
  for (auto& heredoc : find_heredocs(statement.text)) {
    auto body =
        reader.heredoc(heredoc.name, heredoc.chomp ? LineReader::Tabs::chomp : LineReader::Tabs::keep);
    if (!body) {
      throw SyntaxError(SyntaxError("unterminated heredoc", "<<"),
                        {statement.location.first_line, reader.line_number()});
    }
    heredoc.body = std::move(*body);
    statement.heredocs.push_back(std::move(heredoc));
  }
  statement.location.last_line = reader.line_number();
}

}  // namespace

const std::vector<std::string>& keywords() {
  static const std::vector<std::string> all = {
      "ADD",   "ARG",        "CMD",     "COPY", "ENTRYPOINT", "ENV",        "EXPOSE", "FROM",   "HEALTHCHECK",
      "LABEL", "MAINTAINER", "ONBUILD", "RUN",  "SHELL",      "STOPSIGNAL", "USER",   "VOLUME", "WORKDIR"};
  return all;
}

std::string Statement::code() const {
  return std::string(trim_space(text));
}

Statements parse_statements(std::string_view text) {
  LineReader reader(text);
  Statements result;
  const auto here = [&] { return Location{reader.line_number(), reader.line_number()}; };
  const auto next = [&] {
    try {
      return reader.next();
    } catch (const SyntaxError& error) {
      throw SyntaxError(error, here());
    }
  };
  while (auto line = next()) {
    const Location location = line->location;
    if (line->empty_continuation) result.empty_continuations.push_back(location.last_line);
    at(location, [&] {
      Statement statement = parse_statement(std::move(*line), reader.directives().escape);
      read_heredocs(reader, statement);
      result.statements.push_back(std::move(statement));
    });
  }
  result.directives = reader.directives();
  if (result.statements.empty()) throw SyntaxError(SyntaxError("file with no instructions"), here());
  if (reader.stopped_at_long_line()) {
    const int too_long = reader.line_number() + 1;
    throw SyntaxError(SyntaxError("dockerfile line greater than max allowed size of " +
                                  std::to_string(LineReader::longest_line)),
                      {too_long, too_long});
  }
  return result;
}

}  // namespace dockerfile
