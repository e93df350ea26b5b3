// Files of several names in a plain directory, which steps must not see as one.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"

namespace snapshot {

// What was one file: its names, each with the file that it got. A name whose file was touched since, or is
// another one, has a later ctime.
struct PartedName {
  sys::RootedPath path;
  ino_t inode;
  timespec changed;
};
using PartedFile = std::vector<PartedName>;

// Makes a file of its own of each name but one of the files in `root` that have several, as far as all of
// that takes no more than `most_bytes`; of more it does nothing. Over an overlay a step that writes to one
// name of a file of a lower layer changes that name alone. Throws util::Error, also as
// sys::Cancellation::check does.
std::vector<PartedFile> part_links(const std::filesystem::path& root, std::uint64_t most_bytes,
                                   const sys::Cancellation& cancel);

// Makes names of one file again of those whose files nobody touched since they were parted: what copies from
// there finds the links that the layers have. Throws util::Error, also as sys::Cancellation::check does.
void join_links(const std::filesystem::path& root, const std::vector<PartedFile>& files,
                const sys::Cancellation& cancel);

}  // namespace snapshot
