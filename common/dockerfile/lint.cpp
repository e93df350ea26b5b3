// Names of rules, their options, and the collecting of warnings.
#include "common/dockerfile/lint.hpp"

#include <algorithm>
#include <array>

#include "common/dockerfile/directives.hpp"
#include "common/dockerfile/text.hpp"
#include "common/util/text.hpp"

namespace dockerfile {
namespace {

constexpr std::array<std::string_view, 22> rule_names = {
    "ConsistentInstructionCasing",
    "CopyIgnoredFile",
    "DuplicateStageName",
    "ExposeInvalidFormat",
    "ExposeProtoCasing",
    "FromAsCasing",
    "FromPlatformFlagConstDisallowed",
    "InvalidBaseImagePlatform",
    "InvalidDefaultArgInFrom",
    "InvalidDefinitionDescription",
    "JSONArgsRecommended",
    "LegacyKeyValueFormat",
    "MaintainerDeprecated",
    "MultipleInstructionsDisallowed",
    "NoEmptyContinuation",
    "RedundantTargetPlatform",
    "ReservedStageName",
    "SecretsUsedInArgOrEnv",
    "StageNameCasing",
    "UndefinedArgInFrom",
    "UndefinedVar",
    "WorkdirRelativePath",
};
static_assert(rule_names.size() == static_cast<std::size_t>(Rule::WorkdirRelativePath) + 1);

// Fills `all` or `rules`.
void read_rules(std::string_view value, bool& all, std::set<std::string>& rules) {
  value = trim_space(value);
  if (value == "all") {
    all = true;
    return;
  }
  for (const auto& rule : util::split(value, ','))
    rules.emplace(trim_space(rule));
}

void merge(CheckOptions& options, const CheckOptions& more) {
  options.skip_all = options.skip_all || more.skip_all;
  options.experimental_all = options.experimental_all || more.experimental_all;
  options.skip.insert(more.skip.begin(), more.skip.end());
  options.experimental.insert(more.experimental.begin(), more.experimental.end());
}

// The first "check=..." of the comments, cut at the first space: a reason may follow it.
CheckOptions options_in(const std::vector<std::string>& comments) {
  for (const auto& comment : comments) {
    try {
      const auto directive = DirectiveParser("").parse(comment);
      if (!directive || directive->name != "check") continue;
      return CheckOptions::parse(std::string_view(directive->value).substr(0, directive->value.find(' ')));
    } catch (const SyntaxError&) {
      return {};  // a comment is free to hold anything
    }
  }
  return {};
}

bool has_word(const std::vector<std::string>& words, std::initializer_list<std::string_view> wanted) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
  });
}

}  // namespace

std::string_view name(Rule rule) {
  return rule_names[static_cast<std::size_t>(rule)];
}

std::string Warning::str() const {
  std::string text = std::string(name(rule)) + ": " + message;
  if (location.first_line > 0) text += " (line " + std::to_string(location.first_line) + ")";
  return text;
}

CheckOptions CheckOptions::parse(std::string_view text) {
  CheckOptions options;
  text = trim_space(text);
  if (text.empty()) return options;
  int parts = 0;
  while (true) {
    // Of more than three parts the third is all that is left.
    const auto end = ++parts == 3 ? std::string_view::npos : text.find(';');
    const std::string_view part = text.substr(0, end);
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) {
      throw SyntaxError("invalid check option " + in_quotes(part), std::string(part));
    }
    const std::string_view key = trim_space(part.substr(0, equals));
    const std::string_view value = part.substr(equals + 1);
    if (key == "skip") {
      read_rules(value, options.skip_all, options.skip);
    } else if (key == "experimental") {
      read_rules(value, options.experimental_all, options.experimental);
    } else if (key == "error") {
      const auto error = util::parse_bool(trim_space(value));
      if (!error) {
        throw SyntaxError("failed to parse check option " + in_quotes(part) +
                              ": strconv.ParseBool: parsing " + in_quotes(trim_space(value)) +
                              ": invalid syntax",
                          std::string(part));
      }
      options.error = *error;
    } else {
      throw SyntaxError("invalid check option " + in_quotes(key), std::string(key));
    }
    if (end == std::string_view::npos) return options;
    text.remove_prefix(end + 1);
  }
}

void Lint::warn(Rule rule, const std::string& message, const Location& location,
                const std::vector<std::string>& comments) {
  CheckOptions options = options_;
  merge(options, options_in(comments));
  const std::string rule_name(name(rule));
  if (rule == Rule::InvalidDefinitionDescription) {
    if (!options.experimental_all && !options.experimental.contains(rule_name)) return;
  } else if (options.skip_all || options.skip.contains(rule_name)) {
    return;
  }
  warnings_.push_back({rule, message, location});
}

std::optional<std::string> Lint::violation() const {
  if (!options_.error || warnings_.empty()) return std::nullopt;
  std::set<std::string> rules;
  for (const auto& warning : warnings_)
    rules.emplace(name(warning.rule));
  return "lint violation found for rules: " + util::join({rules.begin(), rules.end()}, ", ");
}

bool names_a_secret(std::string_view variable) {
  const auto words = util::split(lower(variable), '_');
  return has_word(words, {"apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd",
                          "secret", "token"}) &&
         !has_word(words, {"public", "file", "version"});
}

}  // namespace dockerfile
