// The directory that a step starts in.
#pragma once

#include <string>

#include "common/sandbox/user.hpp"
#include "common/sys/rooted_dir.hpp"

namespace sandbox {

// Makes the directory `path` of the root, and those above it, where they are missing: WORKDIR of a base image
// may name one that no layer holds, which is part of the step's layer then. They belong to `user`, those that
// only a
// ".." in the path leaves again to root; mode 0755. What is there stays as it is. Throws StartError where a
// file is in the way, or symlinks lead nowhere or in circles; util::Error for failures of the system.
void make_working_dir(sys::RootedDir& root, const std::string& path, const User& user);

}  // namespace sandbox
