// Whether a tree is still as it was made.
#pragma once

#include <filesystem>

#include "common/hash/digest.hpp"

namespace store {

// Over names and metadata of everything in `tree` (modes, owners, sizes, times, devices, link targets,
// extended attributes) but not over what is in its files: what a crash of the machine or a careless copy
// loses shows there, at the price of one walk. Throws util::Error if something cannot be looked at.
hash::Digest fingerprint(const std::filesystem::path& tree);

}  // namespace store
