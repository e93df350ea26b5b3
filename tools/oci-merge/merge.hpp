// One index of the images of several archives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/image/archive.hpp"
#include "common/image/descriptor.hpp"

namespace oci_merge {

// A blob of the whole: in an archive, or made here.
struct Part {
  image::Descriptor descriptor;
  const image::Archive* archive = nullptr;  // null: `json` is it
  std::string json = {};
};

struct Merged {
  image::Descriptor index;
  std::string index_json;
  std::vector<Part> parts;  // each blob once, without the index
};

// All images of all archives, in their order, with the attestations that stand beside them. Annotations of
// images in their indexes stay, and those of the indexes, of which the first counts where two differ. What an
// index names and its archive does not hold is left out, with a warning. Throws util::Error, naming both
// archives, if two images are for the same platform, and on any damage of a document; blobs are not read.
// The archives must outlive what is returned.
Merged merge(const std::vector<std::unique_ptr<image::Archive>>& archives);

}  // namespace oci_merge
