// Copies bytes from file to file.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

namespace sys {

// Copies up to `limit` bytes from the current position of `from` to that of `to`, less if `from` ends before;
// gives how many. Within the kernel where these two files allow it. Throws util::Error, which names `what`,
// and as stop::check does.
std::uint64_t copy_content(int from, int to, std::uint64_t limit, const std::string& what,
                           const std::stop_token& cancel = {});

}  // namespace sys
