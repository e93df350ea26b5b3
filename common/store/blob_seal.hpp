// That the bytes of a blob were read and found right, for who needs them next.
#pragma once

#include <sys/stat.h>

#include <string>

#include "common/store/entries.hpp"

namespace store {

// What is said stands in the file that notes the last use of a large blob (use_of): a hash of the boot, and
// of size, mode, owner and times of the blob's inode, the time of its last change among them, which nobody
// can set. So it does not hold for a blob that somebody has changed or copied, nor after a start of the
// machine.

// True if the bytes of the blob `name` were found right when the file was as `now` says.
bool is_sealed(const Folder& folder, const std::string& name, const struct stat& now) noexcept;

// To be called by who has found them right: `before` is what fstat(2) said of the file before it was read,
// and says of it still. Does nothing for a change so recent that the next one could have the same time, and
// where it cannot write.
void put_seal(const Folder& folder, const std::string& name, const struct stat& before) noexcept;

}  // namespace store
