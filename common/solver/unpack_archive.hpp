// ADD of a local archive: its content instead of itself.
#pragma once

#include <optional>
#include <string>

#include "common/sandbox/user.hpp"
#include "common/solver/source_tree.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"

namespace solver {

// If the file at `path` is an archive by its content (tar, plain or compressed by gzip, bzip2, xz or zstd),
// unpacks it into the directory `destination`, which is made with its parents, and gives true. Members keep
// their owner unless one is given; what has the name of a member gives way unless both are directories.
// Throws util::Error for a damaged one, and as sys::Cancellation::check does.
bool unpack_archive(SourceTree& tree, const std::string& path, sys::RootedDir& root,
                    const std::string& destination, const std::optional<sandbox::Owner>& owner,
                    const sys::Cancellation& cancel = {});

}  // namespace solver
