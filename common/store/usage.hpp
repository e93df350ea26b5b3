// What the parts of a store take on disk, for people who wonder where it has gone.
#pragma once

#include <cstdint>

#include "common/store/prune.hpp"
#include "common/sys/cancellation.hpp"

namespace store {

struct Usage {
  std::uint64_t blobs = 0;    // layers, for the most part
  std::uint64_t trees = 0;    // unpacked images and layers
  std::uint64_t mounts = 0;   // of RUN --mount=type=cache
  std::uint64_t records = 0;  // of names and steps
  std::uint64_t partial = 0;  // cut downloads, and what is being made

  std::uint64_t total() const noexcept { return blobs + trees + mounts + records + partial; }
};

// Looks at every file, as far as it can be looked at: no record can be wrong then, but it takes its time.
// Throws as sys::Cancellation::check does.
Usage usage_of(const Places& places, const sys::Cancellation& cancel);

}  // namespace store
