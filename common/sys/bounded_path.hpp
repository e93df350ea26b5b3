// Files in directories that strangers fill: links in them lead nowhere else.
#pragma once

#include <filesystem>
#include <optional>

namespace sys {

// Whether `path` lies in `directory` by its text, or a directory above it is the same as that one; links on
// the way count as directories.
bool lies_in(const std::filesystem::path& directory, const std::filesystem::path& path);

// Where `path` leads, to be opened instead of it; nothing where nothing is. If it lies in `directory`, links
// are followed as if that was the root of the filesystem: absolute targets and ".." stay in it. Any other
// path is taken as it is up to the directory that holds the file, and that is the bound then, as it is for
// BuildKit. Throws Error for too many links.
std::optional<std::filesystem::path> path_within(const std::filesystem::path& directory,
                                                 const std::filesystem::path& path);

}  // namespace sys
