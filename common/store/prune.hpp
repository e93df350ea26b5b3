// What a store gives up to stay as small as its user wants it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/store/entries.hpp"
#include "common/store/warn.hpp"
#include "common/sys/cancellation.hpp"

namespace store {

struct Limits {
  std::uint64_t bytes = 10'000'000'000;                    // on disk, of everything together
  std::chrono::seconds age = std::chrono::hours(30 * 24);  // since the last use
};

struct Pruned {
  std::size_t entries = 0;  // that were removed
  std::uint64_t freed = 0;  // bytes
  std::uint64_t left = 0;   // bytes that stay
};

// The folders of a store. They live longer than who has this.
struct Places {
  const Folder& blobs;
  const Folder& names;
  const Folder& partial;
  const Folder& trees;
  const Folder& steps;
  const Folder* mounts;  // null if there is none
};

// The time on the clock of the filesystem that `file` is on, which times of use are compared with. Throws
// util::Error.
std::timespec touch(int file, const std::string& what);

// Removes what has not been used for `limits.age`, then what was used longest ago until no more than
// `limits.bytes` are left. What was used at `in_use_since` or later stays, even where that is more. Blobs,
// trees, cache mounts, records of names and steps, and cut downloads all count; a tree or mount without a
// record goes in any case. The caller is alone in the store. What cannot be removed stays, and is warned of.
// Throws util::Error where a folder cannot be read, and as sys::Cancellation::check does, at any time.
Pruned prune(const Places& places, const Limits& limits, const std::timespec& in_use_since, const Warn& warn,
             const sys::Cancellation& cancel);

}  // namespace store
