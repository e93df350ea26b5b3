// What the filesystem says of a path, and small changes to it. Of the standard
// library only its path is used: what its functions throw is no Error, its iterators do so even where they
// were given a std::error_code, and scripts/layers refuses them. Each function here throws Error with the
// kernel's reason unless it says that it does not.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/sys/fd.hpp"

namespace sys {

// Whether a symbolic link as the last component stands for what it leads to or for itself.
enum class Links { followed, kept };

// As stat(2) or lstat(2); nothing where nothing is (ENOENT, ENOTDIR).
std::optional<struct stat> find_status(const std::filesystem::path& path, Links links = Links::followed);
bool is_there(const std::filesystem::path& path, Links links = Links::followed);

// True if both are of one file or directory.
inline bool is_same_file(const struct stat& one, const struct stat& other) noexcept {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Symbolic links are followed. False also for what cannot be looked at: whoever uses it next learns why.
bool leads_to_directory(const std::filesystem::path& path) noexcept;

// The paths of what is in a directory, in no order, without "." and "..".
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& directory);
// The same as far as it can be read; none where there is no directory.
std::vector<std::filesystem::path> readable_entries_of(const std::filesystem::path& directory);
// The names alone, of an open directory that `what` shows in errors.
std::vector<std::string> names_in(UniqueFd directory, const std::string& what);

// The mode is `mode` whatever the umask. Something there already is an error.
void make_directory(const std::filesystem::path& path, mode_t mode);
void set_mode(const std::filesystem::path& path, mode_t mode);

// With the working directory before it, as text: nothing need be there.
std::filesystem::path absolute_path(const std::filesystem::path& path);
// Absolute, without symbolic links, "." and "..". Something must be there.
std::filesystem::path resolved_path(const std::filesystem::path& path);
// Where a symbolic link points, as it is written in it.
std::filesystem::path link_target(const std::filesystem::path& link);

}  // namespace sys
