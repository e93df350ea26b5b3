// All that belongs to the image or index that an archive holds: what a layout or a registry takes of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/image/archive.hpp"

namespace image {

struct Contents {
  Descriptor root;                // the manifest or index of the whole, without annotations
  std::vector<Descriptor> blobs;  // configs and layers, and what attestations hold; each once
  std::vector<Descriptor>
      manifests;  // and indexes, each once and behind those that it names; the last is root
  // What an index names and the archive does not hold, or not whole where it is an attestation: left out when
  // the image was saved.
  std::vector<Descriptor> absent;
  std::map<hash::Digest, std::string> made;  // those of `manifests` that the archive lacks, as JSON

  // One of `manifests`, whole and checked.
  std::string document(const Archive& archive, const Descriptor& manifest) const;
};

// Of the one manifest or index that `archive` has, or of an index made of its images where there are several;
// for a `platform`, of that image alone, chosen as Archive::image does. A manifest is made where there is
// none. Manifests and indexes are checked, blobs are not. Throws util::Error if there is no image, if two for
// the same platform stand side by side, if a config or layer is missing, and on any damage.
Contents contents_of(const Archive& archive, const std::optional<Platform>& platform = {});

}  // namespace image
