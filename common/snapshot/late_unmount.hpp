// Unmounting that nobody waits for.
#pragma once

#include <filesystem>

namespace snapshot {

// Detaches the mount on `target` so that the kernel takes its filesystem apart after this process has ended:
// to drop what it remembers of a million files takes seconds. Needs a filesystem that can be written. False
// where that cannot be had; then the mount is as it was.
bool unmount_after_end(const std::filesystem::path& target) noexcept;

}  // namespace snapshot
