// What ADD gets from elsewhere.
#pragma once

#include <optional>

#include "common/plan/op.hpp"
#include "common/solver/step_cache.hpp"
#include "common/solver/trees.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// Where the file comes from: from_store needs is_current(), and downloads where what is there is damaged.
enum class Fetching { anew, if_changed, from_store };

// A filesystem of one file: mode 0600, root's, as old as the server says or else of 1970. What was downloaded
// is kept in `cache`, if there is one. Throws util::Error if the download fails or is not what its checksum
// says, and as sys::Cancellation::check does.
Change fetch(const plan::Http& op, Fetching fetching, Trees& trees, StepCache* cache,
             const sys::Cancellation& cancel);

// True if the cache has what the URL gives: by its checksum, else if the server names it by the same ETag in
// the answer to a HEAD. False where nobody can tell. `identity` becomes what names it, which a checksum alone
// says as well. Throws as sys::Cancellation::check does.
bool is_current(const plan::Http& op, StepCache& cache, std::optional<hash::Digest>& identity,
                const sys::Cancellation& cancel);

// The SHA-256 of what `cache` has of the URL now.
std::optional<hash::Digest> kept_content(const plan::Http& op, StepCache& cache);

}  // namespace solver
