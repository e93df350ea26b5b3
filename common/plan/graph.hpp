// The plan of a whole build: every op any target needs, and for each target how its image comes out of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/plan/image_config.hpp"
#include "common/plan/op.hpp"

namespace plan {

// One new entry of the image history. A layer entry stands for the change its op made; one without for an
// instruction that changed the config alone.
struct HistoryEntry {
  std::string created_by;
  std::optional<OpId> layer;
  bool is_written = true;  // false: only if something must be said of the layer
};

// How the image of one target and platform is put together. Layers and history of the base image come first.
struct ImageRecipe {
  std::optional<OpId> base;  // the Pull it starts from; nothing = scratch
  std::vector<HistoryEntry> history;
  ImageConfig config;
  image::Platform platform = {};  // what an index says of it
};

struct TargetPlan {
  std::optional<std::string> name;
  std::vector<ImageRecipe> images;  // one per platform
};

struct Graph {
  dockerfile::Source source;  // what the locations of ops are places of
  std::vector<Op> ops;
  std::vector<TargetPlan> targets;
};

}  // namespace plan
