// Copies bytes from file to file.
#pragma once

#include <cstdint>
#include <string>

namespace sys {

// Copies up to `limit` bytes from the current position of `from` to that of `to`, less if `from` ends before;
// gives how many. Within the kernel where these two files allow it. Throws util::Error, which names `what`,
// and ends when the program is told to stop.
std::uint64_t copy_content(int from, int to, std::uint64_t limit, const std::string& what);

}  // namespace sys
