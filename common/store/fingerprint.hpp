// Whether a tree is still as it was made.
#pragma once

#include <cstdint>

#include "common/hash/digest.hpp"
#include "common/store/entries.hpp"
#include "common/sys/cancellation.hpp"

namespace store {

// Both throw util::Error if something cannot be looked at, and as sys::Cancellation::check does.

// Over names, modes, owners, sizes, devices and times of everything in `tree`, the time of the last change of
// the inode among them, which nobody can set: whatever is changed through the filesystem shows, at the price
// of one lstat(2) for each entry. So does a copy, though nothing is wrong with one.
struct Seal {
  hash::Digest digest;
  std::uint64_t bytes;  // that the tree takes on disk
};
Seal seal(const Folder& tree, const sys::Cancellation& cancel = {});

// Over names, modes, owners, sizes, times of modification, devices, link targets, extended attributes and
// every byte: the same for a copy, and another one also for what a disk or a crash of the machine lost.
hash::Digest fingerprint(const Folder& tree, const sys::Cancellation& cancel = {});

}  // namespace store
