// The change of a step that worked in a plain directory, found by looking at all of it.
#pragma once

#include <filesystem>

#include "common/layer/change_set.hpp"
#include "common/snapshot/census.hpp"
#include "common/sys/cancellation.hpp"

namespace snapshot {

// Everything in `root`. Throws util::Error, also as sys::Cancellation::check does.
Census take_census(const std::filesystem::path& root, const sys::Cancellation& cancel);

// Copies what was changed in `root` since `before` into the empty directory `change`, as a tree over `below`,
// the filesystem that was there before: files and directories that are new, replaced or changed, the
// directories above them, and whiteouts (RootedDir::make_whiteout) for what is gone. A file counts as changed
// when its inode was touched at all, as overlayfs copies it up then; layer::diff finds what is different. A
// directory that was moved is a new one, with everything in it. Gives the census of what is there now. Throws
// util::Error, also as sys::Cancellation::check does.
Census collect_changes(const std::filesystem::path& root, const Census& before, const layer::ChangeSet& below,
                       const std::filesystem::path& change, const sys::Cancellation& cancel);

}  // namespace snapshot
