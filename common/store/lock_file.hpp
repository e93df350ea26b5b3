// Locks on files that come and go.
#pragma once

#include <filesystem>
#include <optional>

#include "common/sys/fd.hpp"

namespace store {

// True if the open file is the one that `path` names now.
bool is_file_at(int fd, const std::filesystem::path& path);

// The file at `path`, made if need be, open for reading and writing with an exclusive flock(2) on it. Nothing
// while someone else holds the lock. Throws util::Error.
std::optional<sys::UniqueFd> try_lock_file(const std::filesystem::path& path);

}  // namespace store
