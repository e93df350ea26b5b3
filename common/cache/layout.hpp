// The directory of a local cache, which others may write to as well.
#pragma once

#include <filesystem>

#include "common/store/entries.hpp"

namespace cache {

// Whatever the path leads to; below it no link is to be followed. Throws util::Error.
store::Folder open_directory(const std::filesystem::path& directory);

}  // namespace cache
