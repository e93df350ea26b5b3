// Choosing one image among those of an archive.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/image/descriptor.hpp"
#include "common/util/error.hpp"

namespace image {

inline constexpr std::size_t max_images = 1000;  // in one archive; more is not meant for readers

// An index may name another (OCI image-spec, image-index.md); more than this is not meant for readers.
inline constexpr int max_index_depth = 4;

// One image that an archive holds.
struct Choice {
  Descriptor descriptor;  // of its manifest, or of its config where there is no manifest
  Platform platform;
  std::size_t root = 0;  // which of the archive's roots it belongs to
};

// None of several images is for the platform that was asked for.
class NoImageFor : public util::Error {
public:
  using Error::Error;
};

// The one to use, as Archive::image says. `what` names the archive in errors. Throws NoImageFor when
// none fits, util::Error where there is none or when two of different roots fit equally well (two tagged
// images, not two platforms).
// `way_out` is what then helps.
const Choice& choose(const std::vector<Choice>& choices, const std::optional<Platform>& platform,
                     const std::string& what, const std::string& way_out = "save one alone");

// The platform of each, in their order.
std::vector<Platform> platforms_of(const std::vector<Choice>& choices);

}  // namespace image
