// From statements to stages, and the warnings that need nothing else.
#include "common/dockerfile/file.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "common/dockerfile/flags.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

CheckOptions check_options(std::string_view text, const Source& source,
                           const std::optional<std::string>& check) {
  const auto parse = [](std::string_view options, const char* what) {
    try {
      return CheckOptions::parse(options);
    } catch (const SyntaxError& error) {
      throw SyntaxError(std::string("failed to parse ") + what + ": " + error.what(), error.near());
    }
  };
  if (check) return located(source, {}, [&] { return parse(*check, "build-arg:BUILDKIT_DOCKERFILE_CHECK"); });
  const auto directive = find_directive("check", text);
  if (!directive) return {};
  return located(source, {directive->line, directive->line}, [&] {
    return parse(std::string_view(directive->value).substr(0, directive->value.find(' ')), "check options");
  });
}

void check_syntax(std::string_view text, const Source& source, const ParseOptions& options) {
  const auto image = foreign_syntax(text, options);
  if (!image) return;
  throw util::Error(source.describe(
      {image->line, image->line},
      "only the BuildKit engine can use the syntax image '" + image->value + "': set ENGINE=buildkit",
      image->value));
}

bool is_stage_name(std::string_view name) {
  const auto is_letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

void lint_from(const Statement& statement, Lint& lint) {
  const auto& words = statement.arguments;
  if (words.size() < 3) return;
  const auto warn = [&](Rule rule, const std::string& message) {
    lint.warn(rule, message, statement.location, statement.comments);
  };
  if (words.size() == 3 && words[2] != lower(words[2])) {
    warn(Rule::StageNameCasing, "Stage name '" + words[2] + "' should be lowercase");
  }
  const std::string& from = statement.keyword;
  const std::string wanted = from == lower(from) ? lower(words[1]) : upper(words[1]);
  if ((from == lower(from) || from == upper(from)) && words[1] != wanted) {
    warn(Rule::FromAsCasing, "'" + words[1] + "' and '" + from + "' keywords' casing do not match");
  }
}

void lint_description(const std::string& keyword, const std::vector<std::string>& names,
                      const Statement& statement, Lint& lint) {
  if (statement.comments.empty() || names.empty()) return;
  const std::string& comment = statement.comments.back();
  if (std::find(names.begin(), names.end(), comment.substr(0, comment.find(' '))) != names.end()) return;
  const std::string example = names.size() > 1 ? "<arg_key>" : names.front();
  lint.warn(Rule::InvalidDefinitionDescription,
            "Comment for " + keyword + " should follow the format: `# " + example + " <description>`",
            statement.location, statement.comments);
}

Stage parse_from(const Statement& statement) {
  const auto& words = statement.arguments;
  Stage stage;
  if (words.size() == 3 && equal_fold(words[1], "as")) {
    stage.name = lower(words[2]);
    if (!is_stage_name(stage.name)) {
      throw SyntaxError("invalid name for build stage: " + in_quotes(words[2]) +
                            ", name can't start with a number or contain symbols",
                        words[2]);
    }
  } else if (words.size() != 1) {
    throw SyntaxError("FROM requires either one or three arguments");
  }
  const Flags flags({{"platform", Flags::Kind::text}}, statement.flags);
  stage.origin = {statement.keyword, statement.code(), statement.location, statement.comments};
  stage.base = words.front();
  stage.platform = flags.text("platform");
  stage.description = description_of(stage.name, statement.comments);
  return stage;
}

void add_statement(File& file, const Statement& statement) {
  if (upper(statement.keyword) == "FROM") {
    lint_from(statement, file.lint);
    file.stages.push_back(parse_from(statement));
    const std::string& name = file.stages.back().name;
    if (!name.empty()) lint_description("FROM", {name}, statement, file.lint);
    return;
  }
  if (upper(statement.keyword) == "MAINTAINER") {
    file.lint.warn(Rule::MaintainerDeprecated, "Maintainer instruction is deprecated in favor of using label",
                   statement.location, statement.comments);
  }
  Instruction instruction = parse_instruction(statement);
  if (auto* arg = std::get_if<Arg>(&instruction)) {
    std::vector<std::string> names;
    for (const auto& declaration : arg->declarations)
      names.push_back(declaration.name);
    lint_description("ARG", names, statement, file.lint);
    if (file.stages.empty()) {
      file.global_args.push_back(std::move(*arg));
      return;
    }
  }
  if (file.stages.empty()) throw SyntaxError("no build stage in current context");
  file.stages.back().instructions.push_back(std::move(instruction));
}

void lint_stage_names(File& file) {
  std::set<std::string> names;
  for (const auto& stage : file.stages) {
    if (stage.name.empty()) continue;
    if (stage.name == "context" || stage.name == "scratch") {
      file.lint.warn(Rule::ReservedStageName,
                     "Stage name should not use the same name as reserved stage " + in_quotes(stage.name),
                     stage.origin.location);
    }
    if (!names.insert(stage.name).second) {
      file.lint.warn(Rule::DuplicateStageName,
                     "Duplicate stage name " + in_quotes(stage.name) + ", stage names should be unique",
                     stage.origin.location);
    }
  }
}

void lint_keyword_casing(File& file) {
  std::vector<const Origin*> origins;
  for (const auto& stage : file.stages) {
    origins.push_back(&stage.origin);
    for (const auto& instruction : stage.instructions)
      origins.push_back(&origin(instruction));
  }
  int lower_case = 0;
  int upper_case = 0;
  for (const Origin* each : origins) {
    if (each->keyword == lower(each->keyword)) {
      ++lower_case;
    } else if (each->keyword == upper(each->keyword)) {
      ++upper_case;
    }
  }
  const bool want_lower = lower_case > upper_case;
  for (const Origin* each : origins) {
    if (each->keyword == (want_lower ? lower(each->keyword) : upper(each->keyword))) continue;
    file.lint.warn(Rule::ConsistentInstructionCasing,
                   "Command '" + each->keyword + "' should match the case of the command majority (" +
                       (want_lower ? "lowercase" : "uppercase") + ")",
                   each->location);
  }
}

}  // namespace

std::optional<Directive> foreign_syntax(std::string_view text, const ParseOptions& options) {
  auto image = find_syntax(text);
  if (options.syntax) {
    const auto given = trim_space(*options.syntax);
    image = {.name = "syntax", .value = std::string(given.substr(0, given.find(' '))), .line = 0};
  }
  if (!image || is_builtin_syntax(image->value)) return std::nullopt;
  return image;
}

File parse(std::string_view text, const ParseOptions& options) {
  Source source(options.name, text);
  if (text.empty()) throw util::Error(source.describe({}, "the Dockerfile cannot be empty"));
  check_syntax(text, source, options);
  Lint lint(check_options(text, source, options.check));
  Statements statements = located(source, {}, [&] { return parse_statements(text); });
  for (const int line : statements.empty_continuations) {
    lint.warn(Rule::NoEmptyContinuation, "Empty continuation line", {line, line});
  }
  File file{std::move(source), std::move(statements.directives), {}, {}, std::move(lint)};
  for (const auto& statement : statements.statements) {
    located(file.source, statement.location, [&] { add_statement(file, statement); });
  }
  if (file.stages.empty()) {
    throw util::Error(file.source.describe({}, "dockerfile contains no stages to build"));
  }
  lint_stage_names(file);
  lint_keyword_casing(file);
  return file;
}

Instruction parse_trigger(const std::string& trigger, const Source& source, const Location& from) {
  return located(source, from, [&] {
    try {
      auto statements = parse_statements(trigger).statements;
      if (statements.size() != 1) throw SyntaxError("onbuild trigger should be a single expression");
      statements.front().location = from;
      return parse_instruction(statements.front());
    } catch (const SyntaxError& error) {
      throw SyntaxError(error.what());  // its lines are the trigger's, not the file's
    }
  });
}

}  // namespace dockerfile
