// Trees on top of each other, read as the one filesystem that they make.
#pragma once

#include <memory>
#include <vector>

#include "common/layer/change_set.hpp"

namespace layer {

// What overlayfs would show of `trees`, lowest first, without a mount: a whiteout hides what lies below it,
// an opaque directory and whatever is no directory hide all below them, directories join, and of everything
// else the topmost is seen. Nothing in it is removed or opaque any more. Not thread-safe.
std::unique_ptr<ChangeSet> merged(std::vector<std::unique_ptr<ChangeSet>> trees);

}  // namespace layer
