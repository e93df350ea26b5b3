// What a copy or mount reads of another op's filesystem, as a digest for cache keys.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/listing.hpp"
#include "common/solver/source_tree.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// A file or directory that a copy takes: where it lies, symlinks followed, and what the copy calls it (""
// where the key of the op says that already).
struct Selected {
  std::string path;
  std::string name;
};

struct Content {
  hash::Digest digest;
  // Every file, by its path below what was selected, with a digest of all that counts of it.
  Listing listing;
};

// Over what a copy into an empty filesystem with these options would make of the selected files, but for
// their times: names, types, modes, owners, links, devices, bytes, and of extended attributes those that are
// not the machine's own affair. Files are read by as many threads as the machine has. Throws what the copy
// would throw.
Content content_of(const std::shared_ptr<SourceTree>& tree, const std::vector<Selected>& selected,
                   const CopyOptions& options);

}  // namespace solver
