// Removal of directory trees of any depth.
#pragma once

#include <filesystem>
#include <string>

#include "common/sys/cancellation.hpp"

namespace sys {

// Removes `path` and everything below it, whatever the depth or the length of names, and without following
// symlinks; nothing there is no error. Directories that we own but may not read or write are made writable
// first. Throws Error naming the first entry that could not be removed.
void remove_tree(const std::filesystem::path& path);

// The same, but `cancel` is asked between two entries: for what may stay a while longer.
void remove_tree(const std::filesystem::path& path, const Cancellation& cancel);

// The same for the entry `name` of an open directory; `what` shows it in errors.
void remove_tree_at(int directory, const std::string& name, const std::string& what);
void remove_tree_at(int directory, const std::string& name, const std::string& what,
                    const Cancellation& cancel);

// The same for clean-up of what remove_leftovers() finds later. Once a signal has stopped the process, all
// calls together take some tenths of a second, or a thousand entries where these take longer, and leave the
// rest. What cannot be removed is a warning.
void discard_tree(const std::filesystem::path& path);

}  // namespace sys
