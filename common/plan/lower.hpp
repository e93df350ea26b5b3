// From a parsed Dockerfile to the graph of a build.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/dockerfile/file.hpp"
#include "common/image/reference.hpp"
#include "common/plan/graph.hpp"

namespace plan {

// What a build is given beside its Dockerfile.
struct Inputs {
  std::filesystem::path context;
  std::filesystem::path dockerfile;
  std::optional<Fetched> fetched;  // the context in place of these two; no ignore file counts
  std::vector<std::optional<std::string>> targets;  // at least one; nothing = the last stage
  std::vector<image::Platform> platforms;           // empty = this machine's
  bool names_platforms = false;                     // in titles
  std::map<std::string, std::string> build_args;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::filesystem::path> directories;  // plain directories given as named contexts
  std::string hostname;                                      // of steps; empty = the usual one
  std::string cache_namespace;                               // what the ids of all cache mounts begin with
  bool no_cache = false;
  std::vector<std::string> no_cache_stages;  // the same for these stages alone
};

// An image that a stage starts from, in full.
struct BaseImage {
  image::Reference reference;
  image::Platform platform;
};

// Where base images come from, as far as planning goes.
class Images {
public:
  virtual ~Images() = default;

  // True if an image on disk was given for this name (in familiar form, without ":latest").
  virtual bool is_given(const std::string& familiar) const = 0;

  // Says which configs will be asked for, in their order, so that none has to wait for those before it.
  virtual void announce(const std::vector<BaseImage>&) {}

  // The image config of `reference` for `platform`, as JSON. Throws util::Error.
  virtual std::string config(const image::Reference& reference, const image::Platform& platform) = 0;
};

using Warn = std::function<void(const dockerfile::Warning&)>;

// Plans every target on every platform, in one graph: what several of them need stands in it once. Stages
// that no target needs are checked and left out. Calls `warn` for every lint warning, those of the parsed
// file included, also where it throws. Throws util::Error that shows the place in the Dockerfile.
Graph lower(const dockerfile::File& file, const Inputs& inputs, Images& images, const Warn& warn);

}  // namespace plan
