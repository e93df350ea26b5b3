// Carries a plan out: every op, and the layers that images are made of.
#pragma once

#include <chrono>
#include <map>

#include "common/layer/pack.hpp"
#include "common/plan/graph.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// A new layer of an image: a blob in a file of its own.
struct BuiltLayer {
  layer::PackedLayer packed;
  std::filesystem::path file;
  std::chrono::system_clock::time_point created;
  std::string description = {};  // where no entry of the history stands for it
};

// Layers by the op that made them.
using BuiltLayers = std::map<plan::OpId, BuiltLayer>;

// Runs the ops that the images of `graph` need, independent ones at the same time, and packs the layers of
// those whose target `is_exported`. Files go to the workshop's directory. Throws util::Error; then no process
// of a step is left.
BuiltLayers solve(const plan::Graph& graph, const std::vector<bool>& is_exported,
                  const layer::PackOptions& pack, Workshop& workshop);

}  // namespace solver
