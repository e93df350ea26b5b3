// By copy_file_range(2), else through a buffer.
#include "common/sys/copy_content.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "common/sys/fd.hpp"
#include "common/sys/stop.hpp"
#include "common/util/error.hpp"

namespace sys {

std::uint64_t copy_content(int from, int to, std::uint64_t limit, const std::string& what,
                           const std::stop_token& cancel) {
  constexpr std::uint64_t step = 64 << 20;
  std::uint64_t copied = 0;
  while (copied < limit) {
    stop::check(cancel);
    const auto wanted = static_cast<std::size_t>(std::min(limit - copied, step));
    const ssize_t count = ::copy_file_range(from, nullptr, to, nullptr, wanted, 0);
    if (count < 0) {
      if (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM)
        break;
      util::throw_errno("cannot copy " + what);
    }
    // Files of some virtual filesystems seem empty to it.
    if (count == 0) break;
    copied += static_cast<std::uint64_t>(count);
  }
  std::vector<std::byte> buffer(copied < limit ? 256 << 10 : 0);
  while (copied < limit) {
    stop::check(cancel);
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(limit - copied, buffer.size()));
    const std::size_t count = read_some(from, part, what);
    if (count == 0) break;
    write_all(to, part.first(count), what);
    copied += count;
  }
  return copied;
}

}  // namespace sys
