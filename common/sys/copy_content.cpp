// By copy_file_range(2), else through a buffer.
#include "common/sys/copy_content.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"

namespace sys {

namespace {

// The kernel copies, so that an error may come of either file; these are of what is written.
[[noreturn]] void fail(const NamedFile& from, const NamedFile& to) {
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EROFS) {
    util::throw_errno("cannot write " + to.what);
  }
  util::throw_errno("cannot copy " + from.what + " to " + to.what);
}

}  // namespace

std::uint64_t copy_content(const NamedFile& from, const NamedFile& to, std::uint64_t limit,
                           const sys::Cancellation& cancel) {
  constexpr std::uint64_t step = 64 << 20;
  std::uint64_t copied = 0;
  while (copied < limit) {
    cancel.check();
    const auto wanted = static_cast<std::size_t>(std::min(limit - copied, step));
    const ssize_t count = ::copy_file_range(from.fd, nullptr, to.fd, nullptr, wanted, 0);
    if (count < 0) {
      if (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM)
        break;
      fail(from, to);
    }
    // Files of some virtual filesystems seem empty to it.
    if (count == 0) break;
    copied += static_cast<std::uint64_t>(count);
  }
  util::Buffer buffer(copied < limit ? 256 << 10 : 0);
  while (copied < limit) {
    cancel.check();
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(limit - copied, buffer.size()));
    const std::size_t count = read_some(from.fd, part, from.what);
    if (count == 0) break;
    write_all(to.fd, part.first(count), to.what);
    copied += count;
  }
  return copied;
}

}  // namespace sys
