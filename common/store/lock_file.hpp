// Locks on files that come and go.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/store/entries.hpp"
#include "common/sys/fd.hpp"

namespace store {

// flock(2) with LOCK_SH, LOCK_EX or LOCK_UN. False while someone else's lock is in the way. Throws
// util::Error, which calls the file `what`.
bool try_lock(int fd, int operation, const std::string& what);

// A lock on an open file or directory, given up with this. Not by close(2) alone: a child that is being
// started may hold the descriptor a while longer.
class HeldLock {
public:
  explicit HeldLock(sys::UniqueFd fd = sys::UniqueFd()) noexcept : fd_(std::move(fd)) {}
  HeldLock(HeldLock&&) noexcept = default;
  HeldLock& operator=(HeldLock other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~HeldLock();

  int fd() const noexcept { return fd_.get(); }

private:
  sys::UniqueFd fd_;
};

// The file `name` (open_own_file) with an exclusive flock(2) on it. Nothing while someone else holds the
// lock. Throws util::Error.
std::optional<sys::UniqueFd> try_lock_file(const Folder& folder, const std::string& name);

// A lock whose file has no content and is removed with it. The Folder lives longer.
class LockFile {
public:
  // Nothing while someone else holds the lock. Throws util::Error.
  static std::optional<LockFile> try_lock(const Folder& folder, std::string name);

  LockFile(LockFile&&) noexcept = default;
  LockFile& operator=(LockFile other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(name_, other.name_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~LockFile();

private:
  LockFile(const Folder& folder, std::string name, sys::UniqueFd fd)
      : folder_(&folder), name_(std::move(name)), fd_(std::move(fd)) {}

  const Folder* folder_;
  std::string name_;
  sys::UniqueFd fd_;
};

}  // namespace store
