// An image from disk to a repository.
#pragma once

#include <cstdint>
#include <optional>

#include "common/image/contents.hpp"
#include "common/registry/push.hpp"
#include "tools/oci-push/goals.hpp"

namespace oci_push {

struct Sent {
  std::size_t uploaded = 0;
  std::size_t mounted = 0;
  std::size_t was_there = 0;
  std::uint64_t bytes = 0;  // of what was uploaded
};

// Throws util::Error where `contents` names what the archive does not hold, so that no registry could take
// it, or is not what `goal` asks for. `archive` and `goal` are named in it.
void require_pushable(const image::Archive& archive, const image::Contents& contents, const Goal& goal);

// Sends what the repository of `goal` lacks, blobs as they lie, several at a time, then the manifests and
// indexes, that of the whole under the tag last. A blob is taken from the repository of `other` where that
// has it. What is sent is checked while it is read: of a damaged image no manifest is sent. Says on stderr
// what is being sent. Throws util::Error naming the reference.
Sent push(registry::Pusher& pusher, const image::Archive& archive, const image::Contents& contents,
          const Goal& goal, const std::optional<image::Reference>& other = {});

}  // namespace oci_push
