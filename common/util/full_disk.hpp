// Whether it was for want of room.
#pragma once

#include "common/util/error.hpp"

namespace util {

// True if the kernel had no room to write: the disk is full, or a quota exhausted.
bool is_full_disk(const Error& error) noexcept;

}  // namespace util
