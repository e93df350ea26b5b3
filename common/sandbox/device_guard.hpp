// Whether device nodes of a step can do harm.
#pragma once

#include <filesystem>

namespace sandbox {

// True where the sandbox around us (a device cgroup) refuses every device of the machine but the usual ones:
// those that runc lets each container open, tun and fuse. Then nodes may work in a step as under runc, so
// that a root filesystem made in it can be entered. False where it was given more, a disk say, or where /sys
// does not list the devices. Asks by nodes made in `directory`; no device is opened. Throws util::Error if
// that cannot be written.
bool devices_are_guarded(const std::filesystem::path& directory);

}  // namespace sandbox
