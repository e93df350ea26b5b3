// Whether device nodes of a step can do harm.
#pragma once

namespace sandbox {

// True where the sandbox around us refuses to open all but the usual devices (a device cgroup): then nodes
// may work in a step as under runc, so that a root filesystem made in it can be entered. Found by trying.
// Throws util::Error where no temporary directory can be made.
bool devices_are_guarded();

}  // namespace sandbox
