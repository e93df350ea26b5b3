// ADD of a git repository.
#pragma once

#include "common/plan/op.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// A filesystem that holds the files of a commit, by the `git` program. What git says goes to `vertex`. Throws
// util::Error in BuildKit's words.
Change check_out(const plan::Git& op, Workshop& workshop, engine::Progress::Vertex& vertex);

}  // namespace solver
