// Any bytes as a Dockerfile: parsed, its stages resolved, all of them evaluated.
#include "common/dockerfile/evaluate.hpp"
#include "common/dockerfile/stages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto file = dockerfile::parse(text);
    dockerfile::Lint lint = file.lint;
    const dockerfile::BuildInputs inputs{{{"a", "1"}}, {"linux", "amd64", ""}, {"linux", "arm64", ""}, ""};
    const dockerfile::GlobalScope scope(file, inputs);
    const dockerfile::StageGraph graph(
        file, scope, [](const std::string&) { return false; }, lint);
    for (const auto stage : graph.needed_for({graph.target("")})) {
      dockerfile::Budget budget;
      dockerfile::StageEvaluator evaluator(file, scope, dockerfile::StageState::from_scratch(), lint, budget);
      for (const auto& instruction : graph.instructions(stage))
        evaluator.evaluate(instruction);
    }
  } catch (const util::Error&) {
    // Refusing is fine; anything else is not.
  }
  return 0;
}
