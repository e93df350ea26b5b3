// The steps of a build in the form in which BuildKit writes its own, LLB as JSON (solver/pb/json.go).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/attest/sources.hpp"
#include "common/document/request.hpp"
#include "common/image/descriptor.hpp"

namespace attest {

// JSON each. What only BuildKit's own graph has is not made up: digests of its vertices, the step that loads
// the Dockerfile, attributes by which its client finds files.
struct BuildConfig {
  std::string
      definition;      // {"llbDefinition": [...]}: steps with ids, what they do and whose results they use
  std::string source;  // the Dockerfile, and which of its lines each step is
  std::string layers;  // the chain of layers of each base and each step of the image
};

// What is known of the images of a plan and of the layers that were made.
struct Layers {
  std::function<std::vector<image::Descriptor>(const plan::Pull&)> of_base;
  const solver::BuiltLayers& made;
};

// Of the image `recipe`, whose Dockerfile is `text`. Values of build args stand in it where steps see them;
// of secrets the ids, and proxies not at all.
BuildConfig build_config(const plan::Graph& graph, const plan::ImageRecipe& recipe, const std::string& text,
                         const document::Request& request, const FindImage& find_image, const Layers& layers);

}  // namespace attest
