// What a copy or mount reads of another op's filesystem, as a digest for cache keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/context/ignore.hpp"
#include "common/hash/digest.hpp"
#include "common/solver/source_tree.hpp"

namespace solver {

// Files below one or several places of a tree.
struct Selection {
  struct Place {
    std::string path;  // below the root, symlinks followed
    std::string name;  // what it is called where it goes; empty where the key of the op says that
  };

  std::vector<Place> places;
  std::optional<context::Ignore> include;   // of --parents: what to take below each place
  std::optional<context::Ignore> excludes;  // --exclude: what to leave out of that
};

// Over all that plan::ContentEntry names of the selected files and the directories that hold them, in byte
// order of names. Throws util::Error if a file cannot be read.
hash::Digest content_of(SourceTree& tree, const Selection& selection);

}  // namespace solver
