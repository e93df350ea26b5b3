// What ADD gets from elsewhere.
#pragma once

#include "common/plan/op.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// A filesystem of one file: mode 0600, root's, as old as the server says or else of 1970. Throws util::Error
// if the download fails or is not what its checksum says.
Change fetch(const plan::Http& op, Workshop& workshop);

}  // namespace solver
