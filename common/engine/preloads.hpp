// What images that lie on disk are called in a build, whichever engine carries it out.
#pragma once

#include <string>
#include <vector>

#include "common/document/request.hpp"

namespace engine {

// An image of a preload.
struct NamedImage {
  std::string store;  // the layout's name within one call of buildctl
  document::Preload::Layout layout;
  std::string reference;  // what a Dockerfile says to get it, as BuildKit compares it
};

// One for each preload, in their order. The reference of a build arg is made up from its name and stays the
// same from build to build, so that it can be part of a cache key; two names that differ only by case get
// different ones. That of a context is its name. Throws Error for a preload that is not laid out yet.
std::vector<NamedImage> name_preloads(const std::vector<document::Preload>& preloads);

}  // namespace engine
