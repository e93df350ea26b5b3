// Trees put on top of each other in one plain directory.
#pragma once

#include <filesystem>

#include "common/sys/cancellation.hpp"

namespace snapshot {

// Puts what the tree `from` holds, over a filesystem that begins as what lies in `to`, into `to`: a whiteout
// removes, an opaque directory begins empty, what is of another type is replaced. Throws util::Error, also as
// sys::Cancellation::check does.
void apply_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                const sys::Cancellation& cancel);

}  // namespace snapshot
