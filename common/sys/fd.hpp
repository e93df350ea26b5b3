// Ownership of file descriptors, and reads and writes that are complete or throw.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sys {

// Closes its descriptor. Work whose failure matters on close goes through close_checked.
class UniqueFd {
public:
  explicit UniqueFd(int fd = -1) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd other) noexcept {  // by value: the old fd closes here
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_ = -1;
};

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

// A pipe with O_CLOEXEC on both ends. Throws Error.
Pipe make_pipe();

// Up to `buffer.size()` bytes; 0 is the end. Goes on after a signal, but throws like Cancellation::check() if
// that cancelled. `what` names the file in the Error.
std::size_t read_some(int fd, std::span<std::byte> buffer, const std::string& what);

// The same at an absolute offset, for files that can seek.
std::size_t read_some_at(int fd, std::span<std::byte> buffer, std::uint64_t offset, const std::string& what);

// All of `data`, or an Error; a signal that cancels is one.
void write_all(int fd, std::span<const std::byte> data, const std::string& what);
void write_all(int fd, std::string_view text, const std::string& what);

// Waits for an exclusive flock(2) on an open file or directory. False where there can be none. Throws like
// Cancellation::check() after a signal.
bool wait_for_lock(int fd);

// A file that has no name and never touches a disk, holding `content`, positioned at its start. A child that
// keeps the descriptor reads it as /proc/self/fd/N. `what` names it in the Error.
UniqueFd make_memory_file(std::string_view content, const std::string& what);

// close(2) with its result checked: on some filesystems this is where a full disk is reported.
void close_checked(UniqueFd fd, const std::string& what);

}  // namespace sys
