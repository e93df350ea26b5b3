// Steps in BuildKit's order: from the image down, each after those that it uses.
#include "common/attest/build_config.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/attest/llb.hpp"
#include "common/hash/base64.hpp"

namespace attest {
namespace {

using nlohmann::json;

// What is no UTF-8 becomes U+FFFD, as Go does it.
std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

class StepList {
public:
  StepList(const plan::Graph& graph, const document::Request& request, const FindImage& find_image)
      : graph_(graph), request_(request), find_image_(find_image) {}

  // The op and all below it, whose ids are known afterwards.
  void add(plan::OpId id) {
    const auto& op = graph_.ops[id];
    if (steps_.contains(id) || std::holds_alternative<plan::Scratch>(op.action)) return;
    LlbInputs inputs(graph_);
    auto value = llb_op(op, inputs, request_, find_image_);
    std::vector<std::string> used;
    for (const auto input : inputs.ops()) {
      add(input);
      used.push_back(output_of(input));
    }
    if (const auto* run = std::get_if<plan::Run>(&op.action); run != nullptr && run->script)
      used.push_back(push(llb_file(run->script->name, run->script->content, 0755), {}) + ":0");
    steps_[id] = push(std::move(value), used);
    if (op.location.first_line == 0) return;
    // One line is one range, as where a heredoc goes on.
    json ranges = json::array();
    for (int line = op.location.first_line; line <= op.location.last_line; ++line)
      ranges.push_back({{"start", {{"line", line}}}, {"end", {{"line", line}}}});
    places_[steps_[id]] = {{"locations", json::array({{{"ranges", std::move(ranges)}}})}};
  }

  // What nothing but the image uses.
  void finish(std::optional<plan::OpId> top) {
    if (top && steps_.contains(*top)) push({{"Op", json::object()}}, {output_of(*top)});
  }

  std::string output_of(plan::OpId id) const { return steps_.at(id) + ":0"; }
  bool has(plan::OpId id) const { return steps_.contains(id); }
  const std::map<plan::OpId, std::string>& steps() const noexcept { return steps_; }
  const json& definition() const noexcept { return definition_; }
  const json& places() const noexcept { return places_; }

private:
  std::string push(json op, const std::vector<std::string>& inputs) {
    auto id = "step" + std::to_string(definition_.size());
    definition_.push_back({{"id", id}, {"op", std::move(op)}});
    if (!inputs.empty()) definition_.back()["inputs"] = inputs;
    return id;
  }

  const plan::Graph& graph_;
  const document::Request& request_;
  const FindImage& find_image_;
  std::map<plan::OpId, std::string> steps_;
  json definition_ = json::array();
  json places_ = json::object();
};

json descriptors(const std::vector<image::Descriptor>& chain) {
  json list = json::array();
  for (const auto& layer : chain)
    list.push_back({{"mediaType", layer.media_type}, {"digest", layer.digest.str()}, {"size", layer.size}});
  return list;
}

json layers_of(const StepList& steps, const plan::Graph& graph, const plan::ImageRecipe& recipe,
               const Layers& layers) {
  json all = json::object();
  for (const auto& [id, name] : steps.steps()) {
    if (const auto* pull = std::get_if<plan::Pull>(&graph.ops[id].action))
      all[name + ":0"] = json::array({descriptors(layers.of_base(*pull))});
  }
  std::vector<image::Descriptor> chain;
  if (recipe.base) chain = layers.of_base(std::get<plan::Pull>(graph.ops[*recipe.base].action));
  for (const auto& entry : recipe.history) {
    if (!entry.layer || !steps.has(*entry.layer)) continue;
    chain.push_back(layers.made.at(*entry.layer).packed.blob);
    all[steps.output_of(*entry.layer)] = json::array({descriptors(chain)});
  }
  return all;
}

}  // namespace

BuildConfig build_config(const plan::Graph& graph, const plan::ImageRecipe& recipe, const std::string& text,
                         const document::Request& request, const FindImage& find_image,
                         const Layers& layers) {
  const auto top = top_of(recipe);
  StepList steps(graph, request, find_image);
  if (top) steps.add(*top);
  // Of a COPY --link BuildKit keeps what it stands on, which the image needs as well.
  if (recipe.base) steps.add(*recipe.base);
  steps.finish(top);
  const json source = {{"locations", steps.places()},
                       {"infos", json::array({{{"filename", graph.source.name()},
                                               {"language", "Dockerfile"},
                                               {"data", hash::encode_base64(text)}}})}};
  return {.definition = text_of({{"llbDefinition", steps.definition()}}),
          .source = text_of(source),
          .layers = text_of(layers_of(steps, graph, recipe, layers))};
}

}  // namespace attest
