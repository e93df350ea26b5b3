// Mounts that are attached nowhere yet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/sys/fd.hpp"

namespace sandbox {

// A copy of the mounts at and below `path`, which the kernel follows. Throws util::Error.
sys::UniqueFd detached_tree(const std::filesystem::path& path);

// The same of what a descriptor stands for, wherever that lies by now. `what` names it in the Error.
sys::UniqueFd detached_tree(int place, const std::string& what);

// Sets MOUNT_ATTR_* on it, recursively. Throws util::Error.
void set_tree_attributes(int tree, std::uint64_t attributes);

}  // namespace sandbox
