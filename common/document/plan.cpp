// The plan as JSON and as text.
#include "common/document/plan.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "common/document/fields.hpp"

namespace document {
namespace {

using Json = nlohmann::ordered_json;

constexpr Words<Outcome, 3> outcome_words{
    {{Outcome::cached, "cached"}, {Outcome::runs, "runs"}, {Outcome::unknown, "unknown"}}};

Json write_planned_step(const PlannedStep& step) {
  return {{"title", step.title},
          {"outcome", word_of(outcome_words, step.outcome)},
          {"reason", write_optional<Json>(step.reason)},
          {"after", write_optional<Json>(step.after)}};
}

}  // namespace

std::string outcome_text(const PlannedStep& step) {
  switch (step.outcome) {
    case Outcome::cached:
      return "CACHED";
    case Outcome::runs:
      return "would run: " + step.reason.value_or("");
    case Outcome::unknown:
      return "unknown " + step.reason.value_or("");
  }
  return {};
}

std::string to_json(const Plan& plan) {
  return util::dump_json(Json{{"schema", plan_schema},
                              {"engine", plan.engine},
                              {"steps", write_list<Json>(plan.steps, write_planned_step)}});
}

std::string to_text(const Plan& plan) {
  std::array<std::size_t, outcome_words.size()> counts = {};
  std::string text;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& step = plan.steps[i];
    const auto tag = "#" + std::to_string(i + 1) + " ";
    text += tag + step.title + "\n" + tag + outcome_text(step) + "\n";
    ++counts[static_cast<std::size_t>(step.outcome)];
  }
  return text + std::to_string(counts[0]) + " cached, " + std::to_string(counts[1]) + " would run, " +
         std::to_string(counts[2]) + " unknown\n";
}

}  // namespace document
