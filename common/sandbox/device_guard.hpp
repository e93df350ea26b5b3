// Whether device nodes of a step can do harm.
#pragma once

#include <filesystem>

namespace sandbox {

// True where the sandbox around us refuses to open all but the usual devices (a device cgroup): then nodes
// may work in a step as under runc, so that a root filesystem made in it can be entered. Found by trying, in
// `directory`. Throws util::Error if that cannot be written.
bool devices_are_guarded(const std::filesystem::path& directory);

}  // namespace sandbox
