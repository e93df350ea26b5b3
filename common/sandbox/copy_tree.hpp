// Copies of files and directories with all that is theirs.
#pragma once

#include <string>

#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/tree_copy.hpp"

namespace sandbox {

// Makes `target` a copy of what a descriptor (O_PATH) stands for: a file, or a directory with everything
// below it. Owners, modes, times and extended attributes are as there, and content is shared where the
// filesystem can. What nobody can make here is left out: sockets, and
// devices in a user namespace. `what` names the source in errors. Throws util::Error, also as
// Cancellation::check does.
void copy_tree(int source, const std::string& what, sys::RootedDir& root, const sys::RootedPath& target,
               const sys::Cancellation& cancel,
               sys::TreeCopy::HardLinks links = sys::TreeCopy::HardLinks::kept);

}  // namespace sandbox
