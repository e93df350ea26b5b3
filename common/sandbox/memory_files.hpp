// Files that must be seen while a step runs and never be on disk.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <utility>

#include "common/sys/temp_dir.hpp"

namespace sandbox {

// A tmpfs of our own, gone with the object. Safe to use from several threads.
class MemoryFiles {
public:
  // Mounted in `directory`. Throws util::Error where no mount can be made.
  explicit MemoryFiles(const std::filesystem::path& directory);
  MemoryFiles(const MemoryFiles&) = delete;
  MemoryFiles& operator=(const MemoryFiles&) = delete;
  ~MemoryFiles();

  // A file that goes with its object; mounts of it keep it alive for as long as they are there.
  class File {
  public:
    explicit File(std::filesystem::path path) : path_(std::move(path)) {}
    File(File&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    File& operator=(File&&) = delete;
    ~File();

    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
  };

  // Throws util::Error.
  File make(const std::string& content, mode_t mode, uid_t uid, gid_t gid);

private:
  sys::TempDir directory_;
  std::atomic<unsigned> count_ = 0;
};

}  // namespace sandbox
