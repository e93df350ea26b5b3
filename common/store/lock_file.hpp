// Locks on files that come and go.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "common/sys/fd.hpp"

namespace store {

// True if the open file is the one that `path` names now.
bool is_file_at(int fd, const std::filesystem::path& path);

// The file at `path` (open_own_file) with an exclusive flock(2) on it. Nothing while someone else holds the
// lock. Throws util::Error.
std::optional<sys::UniqueFd> try_lock_file(const std::filesystem::path& path);

// A lock whose file has no content and is removed with it.
class LockFile {
public:
  // Nothing while someone else holds the lock. Throws util::Error.
  static std::optional<LockFile> try_lock(std::filesystem::path path);

  LockFile(LockFile&&) noexcept = default;
  LockFile& operator=(LockFile other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~LockFile();

private:
  LockFile(std::filesystem::path path, sys::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  sys::UniqueFd fd_;
};

}  // namespace store
