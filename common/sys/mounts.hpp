// Mounts that are seen by this process and its children alone, and mounts that others left behind.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/util/error.hpp"

namespace sys {

// Moves the calling thread, and what it starts from now on, to a mount namespace of its own: mounts made in
// it go away with its last process, whatever way that ends; mounts and unmounts made outside still arrive.
// False where the kernel refuses it to this process. Throws Error for any other failure.
bool enter_private_mounts();

// Why unshare(2), which has just failed, made no `what`. ENOSPC says there that a limit is reached, which is
// no matter of disks: the cause is EUSERS then.
util::Error unshare_error(const std::string& what);

// The mount points at or below `directory` in the text of a /proc/PID/mountinfo, in the order in which they
// can be unmounted.
std::vector<std::filesystem::path> mount_points_below(std::string_view mountinfo,
                                                      const std::filesystem::path& directory);

// Detaches everything that is mounted at or below `directory` (an absolute path without symlinks), busy or
// not. Throws Error naming the first mount point that stays.
void unmount_below(const std::filesystem::path& directory);

}  // namespace sys
