// Carries a plan out: what its images need of it, and nothing that was made before.
#pragma once

#include <map>
#include <vector>

#include "common/plan/graph.hpp"
#include "common/solver/packing.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// Layers by the op that made them.
using BuiltLayers = std::map<plan::OpId, BuiltLayer>;

// Makes the layers of the images of `graph`, and gives those of the images whose target `is_exported`. An op
// runs if its layer is needed and not in the cache, or if one that runs needs its files; independent ones run
// at the same time. Files go to the workshop's directory. Throws util::Error; then no process of a step is
// left, and what was made before is in the cache.
BuiltLayers solve(const plan::Graph& graph, const std::vector<bool>& is_exported,
                  const layer::PackOptions& pack, Workshop& workshop);

// True if some op reads or changes the files of this one: of a base that none does only the blobs count.
bool is_read(const plan::Graph& graph, plan::OpId id);

}  // namespace solver
