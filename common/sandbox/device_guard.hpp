// Whether device nodes of a step can do harm.
#pragma once

#include <filesystem>

namespace sandbox {

// True where the sandbox around us (a device cgroup) refuses every device of the machine but the usual ones:
// those that runc lets each container open, tun and fuse. Then nodes may work in a step as under runc, so
// that a root filesystem made in it can be entered. False where it was given more, a disk say, or where /sys
// does not list the devices, or where nobody may make nodes in `directory`,
// which others may have left all the same. Asks by nodes that it makes there and
// removes; the directory is private. No device is opened.
bool devices_are_guarded(const std::filesystem::path& directory);

}  // namespace sandbox
