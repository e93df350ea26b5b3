// Copies bytes from file to file.
#pragma once

#include <cstdint>
#include <string>

#include "common/sys/cancellation.hpp"

namespace sys {

// An open file, and what names it in errors.
struct NamedFile {
  int fd;
  std::string what;
};

// Copies up to `limit` bytes from the current position of `from` to that of `to`, less if `from` ends before;
// gives how many. Within the kernel where these two files allow it. Throws util::Error, which names the file
// that is to blame, and as Cancellation::check does.
std::uint64_t copy_content(const NamedFile& from, const NamedFile& to, std::uint64_t limit,
                           const sys::Cancellation& cancel = {});

}  // namespace sys
