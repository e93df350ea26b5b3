// What takes a mounted /proc.
#pragma once

#include <string>

namespace sys {

// Throws Error where /proc is not mounted: files are reached through their descriptors there.
void require_proc();

// "/proc/self/fd/FD": a path of what is open, for the calls that take none but paths. It holds whatever
// happens to names, in this process, as long as `fd` is open.
std::string link_of(int fd);

}  // namespace sys
