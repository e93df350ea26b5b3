// Complete reads and writes on file descriptors.
#include "common/sys/fd.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <cerrno>

#include "common/sys/cancellation.hpp"
#include "common/util/error.hpp"

namespace sys {

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) util::throw_errno("cannot make a pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::size_t read_some(int fd, std::span<std::byte> buffer, const std::string& what) {
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) util::throw_errno("cannot read " + what);
    Cancellation().check();
  }
}

std::size_t read_some_at(int fd, std::span<std::byte> buffer, std::uint64_t offset, const std::string& what) {
  for (;;) {
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) util::throw_errno("cannot read " + what);
    Cancellation().check();
  }
}

void write_all(int fd, std::span<const std::byte> data, const std::string& what) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd, data.data(), data.size());
    if (count >= 0) {
      data = data.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      util::throw_errno("cannot write " + what);
    } else {
      Cancellation().check();
    }
  }
}

void write_all(int fd, std::string_view text, const std::string& what) {
  write_all(fd, std::as_bytes(std::span(text)), what);
}

bool wait_for_lock(int fd) {
  using namespace std::chrono_literals;
  // One that waits in the kernel may miss a signal that comes just before.
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
    Cancellation().sleep(5ms);
  }
  return true;
}

UniqueFd make_memory_file(std::string_view content, const std::string& what) {
  UniqueFd fd(::memfd_create("oci-build", MFD_CLOEXEC));
  if (!fd) util::throw_errno("cannot keep " + what + " in memory");
  write_all(fd.get(), content, what);
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) util::throw_errno("cannot read " + what);
  return fd;
}

void close_checked(UniqueFd fd, const std::string& what) {
  // EINTR from close on Linux means closed; trying again could close someone else's descriptor.
  if (::close(fd.release()) != 0 && errno != EINTR) util::throw_errno("cannot write " + what);
}

}  // namespace sys
