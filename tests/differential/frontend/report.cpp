// Says what the frontend makes of a Dockerfile, in lines that tests/differential/frontend/run compares with
// what BuildKit makes of it. Usage: frontend-report DOCKERFILE [NAME=VALUE...] [target=STAGE]; every
// NAME=VALUE is a build arg.
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "common/dockerfile/evaluate.hpp"
#include "common/dockerfile/stages.hpp"
#include "common/sys/file.hpp"

namespace {

struct Report {
  dockerfile::Lint lint;
  std::vector<std::string> history;
  dockerfile::StageState state;
};

// A stage from its beginning; all bases are "scratch" or other stages here.
void evaluate(const dockerfile::File& file, const dockerfile::StageGraph& graph,
              const dockerfile::GlobalScope& scope, dockerfile::StageIndex stage,
              std::map<dockerfile::StageIndex, Report>& reports, dockerfile::Lint& lint) {
  Report& report = reports[stage];
  const auto& resolved = graph.stages()[stage];
  if (resolved.parent) {
    report.state = dockerfile::StageState::from_stage(reports[*resolved.parent].state);
    report.history = reports[*resolved.parent].history;
  } else {
    report.state = dockerfile::StageState::from_scratch();
  }
  dockerfile::Budget budget;
  dockerfile::StageEvaluator evaluator(file, scope, report.state, lint, budget);
  for (const auto& instruction : graph.instructions(stage)) {
    auto step = evaluator.evaluate(instruction);
    if (step.history) report.history.push_back(*step.history);
  }
  report.state = evaluator.state();
}

void run(const std::string& path, const dockerfile::BuildInputs& inputs) {
  dockerfile::ParseOptions options;
  const auto check = inputs.build_args.find("BUILDKIT_DOCKERFILE_CHECK");
  if (check != inputs.build_args.end()) options.check = check->second;
  const auto file = dockerfile::parse(sys::read_file(path), options);
  dockerfile::Lint lint = file.lint;
  const dockerfile::GlobalScope scope(file, inputs);
  dockerfile::StageGraph graph(
      file, scope, [](const std::string&) { return false; }, lint);
  const auto target = graph.target(inputs.target);
  std::map<dockerfile::StageIndex, Report> reports;
  for (const auto stage : graph.needed_for({target}))
    evaluate(file, graph, scope, stage, reports, lint);
  if (const auto violation = lint.violation()) throw util::Error(*violation);
  for (const auto& warning : lint.warnings()) {
    std::cout << "warning " << warning.location.first_line << ' ' << name(warning.rule) << ": "
              << warning.message << '\n';
  }
  for (const auto& line : reports[target].history) {
    std::cout << "history " << nlohmann::json(line).dump() << '\n';
  }
  for (const auto& entry : reports[target].state.image_env) {
    std::cout << "env " << nlohmann::json(entry).dump() << '\n';
  }
  std::cout << "workdir " << reports[target].state.working_dir << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  dockerfile::BuildInputs inputs;
  inputs.build_platform = inputs.target_platform = {"linux", "amd64", ""};
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (name == "target") {
      inputs.target = argument.substr(equals + 1);
    } else {
      inputs.build_args[name] = argument.substr(equals + 1);
    }
  }
  try {
    run(argv[1], inputs);
  } catch (const util::Error& error) {
    std::cout << "error " << error.what() << '\n';
  }
  return 0;
}
