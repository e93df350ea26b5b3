// The memory and the rights of a process that asks its supervisor.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/sys/fd.hpp"

namespace sandbox {

// Whose rights a thread has for files.
struct Rights {
  pid_t process = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};
  mode_t umask = 022;
};

// Nothing for a thread that is not there any more.
std::optional<Rights> rights_of(pid_t thread);

// Lets the calling thread, which is root, look at files as another user would, until it is destroyed. The
// others of the process are not concerned.
class ActingAs {
public:
  explicit ActingAs(const Rights& rights) noexcept;
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;
  ~ActingAs();

private:
  std::vector<gid_t> groups_;  // our own
  bool changed_ = false;
};

// What a thread has in its memory. The kernel lets us read and write that of processes with our own user, so
// of another's as that user, and of none that has changed users since it was executed.
class AskerMemory {
public:
  AskerMemory() = default;
  // `likely` is whose the thread probably is.
  AskerMemory(pid_t thread, const Rights& likely);

  bool is_open() const noexcept { return static_cast<bool>(fd_); }

  // Another of the same memory.
  AskerMemory copy() const;

  // A string that ends within PATH_MAX bytes; false for any other. Into `text`, whose memory is used again.
  bool read_path(std::uint64_t address, std::string& text) const;
  bool read(std::uint64_t address, void* data, std::size_t size) const;
  bool write(std::uint64_t address, const void* data, std::size_t size) const;

private:
  sys::UniqueFd fd_;
};

}  // namespace sandbox
