// Entries of the state directory, as whoever could write there left them: nothing here waits for a FIFO or
// follows a symlink, and what is of the wrong kind gives way.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/store/warn.hpp"
#include "common/sys/fd.hpp"

namespace store {

// A directory at `path`, made with `mode` if need be; the parent exists. Anything else there is removed and
// warned of, and a directory of our own that we may not enter is opened to us. Throws util::Error.
void require_directory(const std::filesystem::path& path, mode_t mode, const Warn& warn);

// The file at `path`, made if need be, open for reading and writing; one that is not a regular file, or that
// has a second name, which may lie anywhere, is removed and made anew. Throws util::Error.
sys::UniqueFd open_own_file(const std::filesystem::path& path);

// Replaces the file at `path` by one with this content, whole. `partial` is the store's directory for what is
// being written: a killed build leaves nothing anywhere else. Throws util::Error.
void write_entry(const std::filesystem::path& path, std::string_view content,
                 const std::filesystem::path& partial);

// Whatever lies there; what cannot be removed stays. False then.
bool remove_entry(const std::filesystem::path& path) noexcept;

// True for what open_own_file() takes as it is, and for nothing at all.
bool is_own_file(const std::filesystem::path& path);

// True if the file occupies less than its size says: nothing that we write does, and reading it through takes
// as long as somebody liked it to.
bool has_hole(int fd);

}  // namespace store
