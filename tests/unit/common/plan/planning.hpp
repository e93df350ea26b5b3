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

namespace test {

// Base images by their full reference; what is asked for is written down.
class GivenImages : public plan::Images {
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

inline plan::Inputs inputs_for(const std::vector<std::string>& targets = {}) {
  plan::Inputs inputs;
  inputs.context = "/context";
  inputs.dockerfile = "/context/Dockerfile";
  inputs.targets.assign(targets.begin(), targets.end());
  if (targets.empty()) inputs.targets.emplace_back();
  inputs.platforms = {{.os = "linux", .architecture = "amd64", .variant = ""}};
  return inputs;
}

inline void no_warning(const dockerfile::Warning&) {}

inline plan::Graph plan_of(std::string_view text, const plan::Inputs& inputs, GivenImages& images,
                           const plan::Warn& warn = no_warning) {
  return plan::lower(dockerfile::parse(text), inputs, images, warn);
}

inline plan::Graph plan_of(std::string_view text, const plan::Inputs& inputs = inputs_for()) {
  GivenImages images;
  return plan_of(text, inputs, images);
}

// The actions of one kind, in the order of the graph.
template <typename Action>
std::vector<Action> all(const plan::Graph& graph) {
  std::vector<Action> found;
  for (const auto& op : graph.ops) {
    if (const auto* action = std::get_if<Action>(&op.action)) found.push_back(*action);
  }
  return found;
}

template <typename Action>
Action only(const plan::Graph& graph) {
  const auto found = all<Action>(graph);
  if (found.size() != 1) throw std::logic_error(std::to_string(found.size()) + " ops of this kind");
  return found.front();
}

inline std::vector<std::string> titles(const plan::Graph& graph) {
  std::vector<std::string> titles;
  for (const auto& op : graph.ops) {
    if (!op.title.empty()) titles.push_back(op.title);
  }
  return titles;
}

// The first line of the instruction that the op of that title is for; -1 where there is no such op.
inline int line_of(const plan::Graph& graph, std::string_view title) {
  const auto op = std::find_if(graph.ops.begin(), graph.ops.end(),
                               [&](const plan::Op& each) { return each.title == title; });
  return op == graph.ops.end() ? -1 : op->location.first_line;
}

inline const plan::ImageRecipe& image_of(const plan::Graph& graph, std::size_t target = 0) {
  return graph.targets.at(target).images.front();
}

}  // namespace test
