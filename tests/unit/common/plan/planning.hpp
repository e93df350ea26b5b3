// What the tests of the plan share: a Dockerfile planned with base images at hand.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/lower.hpp"
#include "common/util/error.hpp"

namespace plan::testing {

// Base images by their full reference; what is asked for is written down.
class GivenImages : public Images {
public:
  bool is_given(const std::string&) const override { return false; }

  std::string config(const image::Reference& reference, const image::Platform& platform) override {
    asked.push_back(platform.str() + " " + reference.full());
    const auto found = configs.find(reference.full());
    if (found == configs.end()) throw util::Error("not found");
    return found->second;
  }

  std::map<std::string, std::string> configs = {
      {"docker.io/library/debian:12",
       R"({"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["bash"],"WorkingDir":"/base"}})"}};
  std::vector<std::string> asked;
};

inline Inputs inputs_for(const std::vector<std::string>& targets = {}) {
  Inputs inputs;
  inputs.context = "/context";
  inputs.dockerfile = "/context/Dockerfile";
  inputs.targets.assign(targets.begin(), targets.end());
  if (targets.empty()) inputs.targets.emplace_back();
  inputs.platforms = {{.os = "linux", .architecture = "amd64", .variant = ""}};
  return inputs;
}

inline void no_warning(const dockerfile::Warning&) {}

inline Graph plan_of(std::string_view text, const Inputs& inputs, GivenImages& images,
                     const Warn& warn = no_warning) {
  return lower(dockerfile::parse(text), inputs, images, warn);
}

inline Graph plan_of(std::string_view text, const Inputs& inputs = inputs_for()) {
  GivenImages images;
  return plan_of(text, inputs, images);
}

// The actions of one kind, in the order of the graph.
template <typename Action>
std::vector<Action> all(const Graph& graph) {
  std::vector<Action> found;
  for (const auto& op : graph.ops) {
    if (const auto* action = std::get_if<Action>(&op.action)) found.push_back(*action);
  }
  return found;
}

template <typename Action>
Action only(const Graph& graph) {
  const auto found = all<Action>(graph);
  if (found.size() != 1) throw std::logic_error(std::to_string(found.size()) + " ops of this kind");
  return found.front();
}

inline std::vector<std::string> titles(const Graph& graph) {
  std::vector<std::string> titles;
  for (const auto& op : graph.ops) {
    if (!op.title.empty()) titles.push_back(op.title);
  }
  return titles;
}

inline const ImageRecipe& image_of(const Graph& graph, std::size_t target = 0) {
  return graph.targets.at(target).images.front();
}

}  // namespace plan::testing
