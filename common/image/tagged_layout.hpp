// LAYOUT:TAG, one image of an OCI layout directory that holds several.
#pragma once

#include <filesystem>
#include <string>

namespace image {

struct Place {
  std::filesystem::path path;
  std::string tag;  // empty = none is named
};

// What a person names who gives an image by its place: what has this very name, or else, if that ends in
// ":TAG" and a directory stands before it, the image of this tag there.
Place locate(const std::filesystem::path& argument);

}  // namespace image
