// Warnings about a Dockerfile: what BuildKit's linter says, and who may silence it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/dockerfile/source.hpp"

namespace dockerfile {

// BuildKit's rules under their names.
enum class Rule {
  ConsistentInstructionCasing,
  CopyIgnoredFile,
  DuplicateStageName,
  ExposeInvalidFormat,
  ExposeProtoCasing,
  FromAsCasing,
  FromPlatformFlagConstDisallowed,
  InvalidBaseImagePlatform,
  InvalidDefaultArgInFrom,
  InvalidDefinitionDescription,  // only where asked for
  JSONArgsRecommended,
  LegacyKeyValueFormat,
  MaintainerDeprecated,
  MultipleInstructionsDisallowed,
  NoEmptyContinuation,
  RedundantTargetPlatform,
  ReservedStageName,
  SecretsUsedInArgOrEnv,
  StageNameCasing,
  UndefinedArgInFrom,
  UndefinedVar,
  WorkdirRelativePath,
};

std::string_view name(Rule rule);

struct Warning {
  Rule rule;
  std::string message;
  Location location;

  // "Rule: message (line N)".
  std::string str() const;
};

// "skip=RuleA,RuleB;experimental=RuleC;error=true", where "all" stands for every rule.
struct CheckOptions {
  bool skip_all = false;
  std::set<std::string> skip;
  bool experimental_all = false;
  std::set<std::string> experimental;
  bool error = false;

  // Throws SyntaxError for what is no such option.
  static CheckOptions parse(std::string_view text);
};

// Collects the warnings that are not silenced.
class Lint {
public:
  explicit Lint(CheckOptions options = {}) : options_(std::move(options)) {}

  // `comments` stand above the instruction or stage that is judged: "check=skip=Rule reason" in them counts
  // for it alone.
  void warn(Rule rule, const std::string& message, const Location& location,
            const std::vector<std::string>& comments = {});

  const std::vector<Warning>& warnings() const noexcept { return warnings_; }

  // "lint violation found for rules: A, B" if warnings are to be errors and there are any.
  std::optional<std::string> violation() const;

private:
  CheckOptions options_;
  std::vector<Warning> warnings_;
};

// True for names like API_KEY and GITHUB_TOKEN, unless they also say "public", "file" or "version".
bool names_a_secret(std::string_view variable);

}  // namespace dockerfile
