// The system calls a step may make: the field's default profile for containers.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace sandbox {

// The filter as the kernel takes it, for this machine's architecture and its 32-bit companions: a list of
// what is allowed with the 14 default capabilities, EPERM for the rest, ENOSYS for clone3 and for calls newer
// than the list (so that programs fall back to older ones).
// Compiled at the first call. Throws util::Error.
const std::vector<sock_filter>& default_seccomp_filter();

}  // namespace sandbox
