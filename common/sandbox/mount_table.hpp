// The table of mounts that a step is shown.
#pragma once

#include <string>
#include <string_view>

namespace sandbox {

// The kernel tells a process of mounts below its root alone: of one in a plain directory it would tell of
// none, not even of "/". `text` is that of our /proc/self/mountinfo; what comes of it is the mount that holds
// `root` (absolute, without links), as "/", and all of /proc, /dev and /sys.
std::string step_mount_info(std::string_view text, const std::string& root);

// The same in the form of /proc/self/mounts.
std::string step_mounts(std::string_view text, const std::string& root);

}  // namespace sandbox
