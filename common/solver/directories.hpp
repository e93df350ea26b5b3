// Directories on the way to a destination.
#pragma once

#include <optional>
#include <string>

#include "common/sandbox/user.hpp"
#include "common/solver/copy_target.hpp"

namespace solver {

inline constexpr mode_t default_directory_mode = 0755;

// Where the directory `path` is, symlinks followed inside the root. What is missing is made, also what a
// symlink points at, with this mode and owner (nothing = root's). Throws util::Error in BuildKit's words if
// something on the way is no directory.
sys::RootedPath make_directories(CopyTarget& root, const std::string& path, mode_t mode,
                                 const std::optional<sandbox::Owner>& owner);

// Throws util::Error where the filesystem or the rights forbid it.
void set_owner(CopyTarget& root, const sys::RootedPath& path, const sandbox::Owner& owner);

}  // namespace solver
