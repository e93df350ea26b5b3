// What takes a mounted /proc.
#pragma once

namespace sys {

// Throws Error where /proc is not mounted: files are reached through their descriptors there.
void require_proc();

}  // namespace sys
