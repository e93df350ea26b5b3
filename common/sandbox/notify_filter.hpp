// Filters of system calls that the isolation "chroot" adds to the profile.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace sandbox {

// Asks about trapped_calls(), and allows all others.
const std::vector<sock_filter>& supervised_filter();

// Refuses sockets that lead out of the machine's kernel or name its devices: EAFNOSUPPORT, as where the
// kernel has no network.
const std::vector<sock_filter>& no_network_filter();

}  // namespace sandbox
