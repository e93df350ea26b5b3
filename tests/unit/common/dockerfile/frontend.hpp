// What the tests of the frontend share: a stage evaluated from scratch, and the message of an error.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/dockerfile/evaluate.hpp"
#include "common/dockerfile/stages.hpp"

namespace test {

using Words = std::vector<std::string>;

struct Outcome {
  std::vector<dockerfile::Step> steps;
  std::vector<std::string> history;
  std::vector<std::string> warnings;  // "Rule: message (line N)"
  dockerfile::StageState state;       // of the target at its end
};

// Everything up to the evaluation of the target and what it needs. All bases are scratch or stages.
inline Outcome evaluate(std::string_view text, const std::map<std::string, std::string>& build_args = {},
                        const std::string& target = "") {
  const dockerfile::File file = dockerfile::parse(text);
  dockerfile::Lint lint = file.lint;
  const dockerfile::BuildInputs inputs{build_args, {"linux", "amd64", ""}, {"linux", "arm", "v7"}, target};
  const dockerfile::GlobalScope scope(file, inputs);
  const dockerfile::StageGraph graph(
      file, scope, [](const std::string&) { return false; }, lint);
  dockerfile::Budget budget;
  std::map<dockerfile::StageIndex, Outcome> outcomes;
  const dockerfile::StageIndex wanted = graph.target(target);
  for (const dockerfile::StageIndex index : graph.needed_for({wanted})) {
    Outcome& outcome = outcomes[index];
    const auto parent = graph.stages()[index].parent;
    if (parent) outcome.history = outcomes[*parent].history;
    dockerfile::StageEvaluator evaluator(file, scope,
                                         parent ? dockerfile::StageState::from_stage(outcomes[*parent].state)
                                                : dockerfile::StageState::from_scratch(),
                                         lint, budget);
    for (const auto& instruction : graph.instructions(index)) {
      outcome.steps.push_back(evaluator.evaluate(instruction));
      if (outcome.steps.back().history) outcome.history.push_back(*outcome.steps.back().history);
    }
    outcome.state = evaluator.state();
  }
  Outcome& outcome = outcomes[wanted];
  for (const auto& warning : lint.warnings())
    outcome.warnings.push_back(warning.str());
  return std::move(outcome);
}

// The whole message of the error that evaluating `text` ends with; empty if it does not.
inline std::string fault(std::string_view text, const std::map<std::string, std::string>& build_args = {},
                         const std::string& target = "") {
  try {
    evaluate(text, build_args, target);
  } catch (const util::Error& error) {
    return error.what();
  }
  return "";
}

// The history of a stage "FROM scratch" with these instructions.
inline Words history(const std::string& instructions,
                     const std::map<std::string, std::string>& build_args = {}) {
  return evaluate("FROM scratch\n" + instructions, build_args).history;
}

// The warnings for a whole file.
inline Words warnings(std::string_view text, const std::map<std::string, std::string>& build_args = {}) {
  return evaluate(text, build_args).warnings;
}

}  // namespace test
