// Evaluation of the ARGs before the first FROM.
#include "common/dockerfile/scope.hpp"

#include <array>
#include <utility>

#include "common/dockerfile/budget.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

// `build_args` win over what is predefined, but only where they are of the same name.
Environment predefined(const BuildInputs& inputs, const std::string& last_stage) {
  const auto& build = inputs.build_platform;
  const auto& target = inputs.target_platform;
  std::string stage = inputs.target.empty() ? last_stage : inputs.target;
  if (stage.empty()) stage = "default";
  const std::array<std::pair<const char*, std::string>, 11> values = {{
      {"BUILDPLATFORM", build.str()},
      {"BUILDOS", build.os},
      {"BUILDOSVERSION", ""},
      {"BUILDARCH", build.architecture},
      {"BUILDVARIANT", build.variant},
      {"TARGETPLATFORM", target.str()},
      {"TARGETOS", target.os},
      {"TARGETOSVERSION", ""},
      {"TARGETARCH", target.architecture},
      {"TARGETVARIANT", target.variant},
      {"TARGETSTAGE", stage},
  }};
  Environment environment;
  for (const auto& [name, value] : values) {
    const auto given = inputs.build_args.find(name);
    environment.set(name, given == inputs.build_args.end() ? value : given->second);
  }
  return environment;
}

void declare(Environment& environment, const Declaration& declaration,
             const std::map<std::string, std::string>& build_args, char escape, Budget& budget) {
  const auto given = build_args.find(declaration.name);
  if (given != build_args.end()) {
    environment.set(declaration.name, given->second);
  } else if (declaration.value) {
    const auto value = expand(*declaration.value, environment, escape).text;
    budget.spend_growth(declaration.value->size(), value.size());
    environment.set(declaration.name, value);
  }
}

}  // namespace

GlobalScope::GlobalScope(const File& file, const BuildInputs& inputs)
    : build_args_(inputs.build_args), environment_(predefined(inputs, file.stages.back().name)) {
  const char escape = file.directives.escape;
  Budget budget;
  Environment defaults = environment_;
  try {
    for (const auto& arg : file.global_args) {
      for (const auto& declaration : arg.declarations)
        declare(defaults, declaration, {}, escape, budget);
    }
    defaults_ = std::move(defaults);
  } catch (const SyntaxError&) {
    // Only a warning depends on it; where the value is needed the error comes again.
  }
  for (const auto& arg : file.global_args) {
    located(file.source, arg.origin.location, [&] {
      for (const auto& declaration : arg.declarations) {
        declare(environment_, declaration, build_args_, escape, budget);
        declared_names_.push_back(declaration.name);
      }
    });
  }
}

std::map<std::string, std::string> proxy_settings(const std::map<std::string, std::string>& build_args) {
  std::map<std::string, std::string> settings;
  for (const auto& [name, value] : build_args) {
    const std::string capital = upper(name);
    for (const char* known : {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}) {
      if (capital == known) settings[capital] = value;
    }
  }
  return settings;
}

bool is_builder_arg(const std::string& name) {
  return name == "BUILDKIT_SBOM_SCAN_CONTEXT" || name == "BUILDKIT_SBOM_SCAN_STAGE";
}

}  // namespace dockerfile
