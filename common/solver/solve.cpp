// From ops to tasks.
#include "common/solver/solve.hpp"

#include <algorithm>
#include <utility>

#include "common/dockerfile/source.hpp"
#include "common/solver/run_op.hpp"
#include "common/solver/solving.hpp"
#include "common/util/error.hpp"

namespace solver {
Solution Solve::run(const std::vector<bool>& is_exported, const std::vector<plan::OpId>& beside) {
  std::set<plan::OpId> bases;  // whose blobs go into an image
  for (std::size_t i = 0; i < graph_.targets.size(); ++i) {
    for (const auto& image : graph_.targets[i].images) {
      if (is_exported[i] && image.base) bases.insert(*image.base);
      find_needed_of(image);
      for (const auto& entry : image.history) {
        if (entry.layer && is_exported[i]) nodes_[*entry.layer].is_given = true;
      }
    }
  }
  for (const plan::OpId id : beside) {
    find_needed(id);
    tops_.insert(id);
    nodes_[id].is_given = true;
  }
  require_entitlements_of_all();
  for (const plan::OpId id : needed_) {
    if (!graph_.ops[id].title.empty()) display_.announce(graph_.ops[id]);
    for (const plan::OpId input : plan::inputs(graph_.ops[id]))
      nodes_[input].is_read = true;
    // What is not in a context is to fail the build before steps have run for minutes.
    if (std::holds_alternative<plan::Local>(graph_.ops[id].action)) task(id, Phase::resolve);
  }
  for (const plan::OpId id : tops_) {
    task(id, Phase::settle);
    if (nodes_[id].is_given) task(id, Phase::give);
  }
  for (const plan::OpId id : bases)
    schedule_.add(order_of(id, Phase::give), [this, id] { return fetch_base(id); });
  try {
    schedule_.run();
  } catch (const util::Error& error) {
    // What was read before something else failed was read.
    if (!error.is_cancelled()) keep_seals();
    throw;
  }
  keep_seals();
  packing_progress_.finish();
  for (const plan::OpId id : tops_)
    show_cached(id);
  return {.layers = std::move(layers_), .pins = pins()};
}

Pins Solve::pins() const {
  Pins pins;
  for (const plan::OpId id : needed_) {
    const auto& node = nodes_[id];
    if (node.revision) pins[id] = node.revision->commit;
    if (const auto& content = node.change.content ? node.change.content : node.content)
      pins[id] = content->hex();
  }
  return pins;
}

void Solve::keep_seals() {
  for (const auto& node : nodes_) {
    if (node.files) node.files->tree->keep_seals();
  }
}

void Solve::find_needed_of(const plan::ImageRecipe& image) {
  for (const auto& entry : image.history) {
    if (!entry.layer) continue;
    find_needed(*entry.layer);
    tops_.insert(*entry.layer);
  }
}

void Solve::find_needed(plan::OpId id) {
  if (!needed_.insert(id).second) return;
  for (const plan::OpId input : plan::inputs(graph_.ops[id]))
    find_needed(input);
}

void Solve::require_entitlements_of_all() {
  for (const plan::OpId id : needed_) {
    if (const auto* run = std::get_if<plan::Run>(&graph_.ops[id].action))
      dockerfile::located(graph_.source, graph_.ops[id].location, [&] {
        require_entitlements(*run, workshop_.request);
        require_sandbox(*run, workshop_.steps().sandbox);
      });
  }
}

std::size_t Solve::order_of(plan::OpId id, Phase phase) {
  return id * phases + static_cast<std::size_t>(phase);
}

bool Solve::is_work(Phase phase) {
  return phase == Phase::resolve || phase == Phase::make || phase == Phase::settle;
}

Schedule::Task Solve::task(plan::OpId id, Phase phase) {
  const std::lock_guard lock(mutex_);
  auto& known = nodes_[id].tasks[static_cast<std::size_t>(phase)];
  if (known) return *known;
  const bool keeps = phase == Phase::pack || phase == Phase::keep;
  if (is_work(phase)) ++steps_left_;
  if (phase == Phase::pack) {
    packing_progress_.add();
    if (steps_left_ == 0) packing_progress_.show();
  }
  known = schedule_.add(
      order_of(id, phase), [this, id, phase] { return advance(id, phase); },
      keeps && workshop_.cache != nullptr ? Schedule::After::all : Schedule::After::success);
  return *known;
}

void Solve::need(plan::OpId id, Phase phase, Needs& needs) {
  const auto wanted = task(id, phase);
  if (!schedule_.is_done(wanted)) needs.push_back(wanted);
}

Solve::Needs Solve::advance(plan::OpId id, Phase phase) {
  auto needs = carry_on(id, phase);
  if (needs.empty() && is_work(phase)) {
    const std::lock_guard lock(mutex_);
    if (--steps_left_ == 0) packing_progress_.show();
  }
  return needs;
}

Solve::Needs Solve::carry_on(plan::OpId id, Phase phase) {
  switch (phase) {
    case Phase::resolve:
      return resolve(id);
    case Phase::make:
      return make(id);
    case Phase::settle:
      return settle(id);
    case Phase::pack:
      return pack(id);
    case Phase::keep:
      return keep(id);
    case Phase::give:
      return give(id);
  }
  return {};
}

void Solve::need_filesystem(plan::OpId id, Needs& needs) {
  const auto& node = nodes_[id];
  if (std::holds_alternative<plan::Scratch>(node.op.action)) return;
  need(id, std::holds_alternative<plan::Local>(node.op.action) ? Phase::resolve : Phase::make, needs);
  if (const auto base = base_of(node.op)) need_filesystem(*base, needs);
}

Filesystem Solve::filesystem(plan::OpId id) const {
  const auto& node = nodes_[id];
  if (node.files) return {.stack = {}, .local = node.files};
  Filesystem found;
  if (const auto base = base_of(node.op)) found = filesystem(*base);
  if (!node.change.tree.empty()) {
    // The same layer may come twice, which overlayfs refuses; all of the lower one is behind the upper one.
    std::erase(found.stack.trees, node.change.tree);
    found.stack.trees.push_back(node.change.tree);
  }
  return found;
}

Inputs Solve::inputs_of(const plan::Op& op) const {
  Inputs inputs;
  for (const plan::OpId input : inputs_to_make(op))
    inputs[input] = filesystem(input);
  return inputs;
}

void Solve::show_cached(plan::OpId id) {
  auto& node = nodes_[id];
  {
    const std::lock_guard lock(mutex_);
    const bool makes = node.tasks[static_cast<std::size_t>(Phase::make)].has_value() && !node.found;
    const bool resolves = node.tasks[static_cast<std::size_t>(Phase::resolve)].has_value();
    if (makes || !resolves || std::exchange(node.is_shown, true)) return;
  }
  for (const plan::OpId input : plan::inputs(node.op))
    show_cached(input);
  const bool is_pull = std::holds_alternative<plan::Pull>(node.op.action);
  if (!node.op.title.empty() && (node.found || is_pull)) display_.cached(node.op);
}

plan::OpId Solve::not_found_below(plan::OpId id) const {
  while (nodes_[id].found)
    id = *base_of(nodes_[id].op);
  return id;
}

Solution solve(const plan::Graph& graph, const std::vector<bool>& is_exported, const layer::PackOptions& pack,
               Workshop& workshop, const std::vector<plan::OpId>& beside) {
  return Solve(graph, pack, workshop).run(is_exported, beside);
}

bool is_read(const plan::Graph& graph, plan::OpId id) {
  return std::any_of(graph.ops.begin(), graph.ops.end(), [&](const plan::Op& op) {
    const auto inputs = inputs_to_make(op);
    return std::find(inputs.begin(), inputs.end(), id) != inputs.end();
  });
}

}  // namespace solver
