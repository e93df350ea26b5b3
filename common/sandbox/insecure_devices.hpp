// The device nodes that a step with --security=insecure has besides the usual ones.
#pragma once

#include <vector>

#include "common/sandbox/child.hpp"

namespace sandbox {

// Those of BuildKit (WithInsecureSpec): kmsg, cuse, fuse, kvm, net/tun, and all loop devices up to the
// seventh after the first free one. The nodes are there whether or not the kernel has a driver for them.
std::vector<DeviceNode> insecure_devices();

}  // namespace sandbox
