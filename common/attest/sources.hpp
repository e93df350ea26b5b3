// What an image was made of, as far as that came from elsewhere.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/attest/package_url.hpp"
#include "common/hash/digest.hpp"
#include "common/plan/graph.hpp"
#include "common/solver/solve.hpp"

namespace attest {

struct ImageSource {
  ImageOrigin origin = ImageOrigin::registry;
  std::string name;  // in full, as the build knows it: with a digest where that was asked for
  image::Platform platform;
  hash::Digest digest;  // of what the name means: an index, else a manifest
};

// Who knows what an image of the plan is.
using FindImage = std::function<ImageSource(const plan::Pull&)>;

// A source whose content has a name (SLSA: resolved dependency, material).
struct Material {
  std::string uri;
  std::string algorithm;  // "sha256", of commits "sha1" or "sha256"
  std::string hex;

  friend bool operator==(const Material&, const Material&) = default;
};

// What a step may ask for that belongs to the client.
struct Access {
  std::string id;
  bool optional = true;

  friend bool operator==(const Access&, const Access&) = default;
};

// Everything once, sorted by name within its kind.
struct Sources {
  std::vector<Material> materials;  // images, git repositories, downloads
  std::vector<std::string> locals;  // directories of the client, whose content nothing names
  std::vector<Access> secrets;
  std::vector<Access> ssh;
};

// The uppermost op of an image; nothing if it has no files.
std::optional<plan::OpId> top_of(const plan::ImageRecipe& recipe);

// All ops below the image `recipe` of `graph`, whether they were carried out or found in a cache.
std::vector<plan::OpId> ops_below(const plan::Graph& graph, const plan::ImageRecipe& recipe);

// Of these, and of the scanner of the image if there is one. Addresses are without what logs in. An image
// that is asked for by digest is left out where the same tag is there without. Throws util::Error for a git
// repository that `pins` does not know.
Sources sources_of(const plan::Graph& graph, const plan::ImageRecipe& recipe, const solver::Pins& pins,
                   const FindImage& find_image, const std::optional<ImageSource>& scanner = {});

}  // namespace attest
