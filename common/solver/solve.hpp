// Carries a plan out: what its images need of it, and nothing that was made before.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/plan/graph.hpp"
#include "common/solver/packing.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// Layers by the op that made them.
using BuiltLayers = std::map<plan::OpId, BuiltLayer>;

// What a source turned out to be whose name does not say it: the commit of a Git, the SHA-256 of what an Http
// gave. Of an Http that was not asked, because its checksum named what it gives, there is none.
using Pins = std::map<plan::OpId, std::string>;

struct Solution {
  BuiltLayers layers;
  Pins pins;
};

// Makes the layers of the images of `graph`, and gives those of the images whose target `is_exported`, and
// those of the ops `beside`. An op runs if its layer is needed and not in the cache, or if one that runs
// needs its files; independent ones run at the same time. Files go to the workshop's directory. Throws
// util::Error; then no process of a step is left, and what was made before is in the cache.
Solution solve(const plan::Graph& graph, const std::vector<bool>& is_exported, const layer::PackOptions& pack,
               Workshop& workshop, const std::vector<plan::OpId>& beside = {});

// True if some op reads or changes the files of this one: of a base that none does only the blobs count.
bool is_read(const plan::Graph& graph, plan::OpId id);

// What solve() would do about a step, as far as that is known before anything was made.
struct Forecast {
  enum class Outcome { cached, made, unknown };

  std::string title;
  Outcome outcome = Outcome::cached;
  std::string reason = {};  // why it would be made, as a build says it, or until when nobody knows
  // The step that it follows or waits for, by its number: the first is 1.
  std::optional<std::size_t> after = {};
};

// Of every step that the images of `graph` need, in their order. Nothing is made, unpacked or pulled but what
// tells what the images of a name are. Throws what solve() would throw before any step runs.
std::vector<Forecast> foresee(const plan::Graph& graph, Workshop& workshop);

}  // namespace solver
