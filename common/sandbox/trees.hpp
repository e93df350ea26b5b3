// Mounts that are attached nowhere yet.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/sys/fd.hpp"

namespace sandbox {

// A copy of the mounts at and below `path`. Throws util::Error.
sys::UniqueFd detached_tree(const std::filesystem::path& path);

// Sets MOUNT_ATTR_* on it, recursively. Throws util::Error.
void set_tree_attributes(int tree, std::uint64_t attributes);

}  // namespace sandbox
