// The content of a cache in the root of a step.
#pragma once

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/rooted_dir.hpp"

namespace sandbox {

// The directory of a cache for one step alone, of all builds: what another step has taken out of it it would
// find missing. `cache` may be opened with O_PATH. Throws util::Error, also as Cancellation::check does.
sys::UniqueFd lock_cache(int cache, const sys::Cancellation& cancel);

// Moves what is in a cache into the empty directory `place`, which becomes like it. True if it had to be
// copied, because the cache is on another filesystem. Throws util::Error.
bool enter_cache(int cache, sys::RootedDir& root, const sys::RootedPath& place,
                 const sys::Cancellation& cancel);

// The way back. Throws util::Error.
void leave_cache(int cache, bool is_copied, sys::RootedDir& root, const sys::RootedPath& place);

}  // namespace sandbox
