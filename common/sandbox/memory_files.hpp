// Files that must be seen while a step runs and never be on disk.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "common/sys/temp_dir.hpp"

namespace sandbox {

// A tmpfs of our own, gone with the object.
class MemoryFiles {
public:
  // Throws util::Error where no mount can be made.
  MemoryFiles();
  MemoryFiles(const MemoryFiles&) = delete;
  MemoryFiles& operator=(const MemoryFiles&) = delete;
  ~MemoryFiles();

  // Where a new file of this content, mode and owner is. Throws util::Error.
  std::filesystem::path add(const std::string& content, mode_t mode, uid_t uid, gid_t gid);

private:
  sys::TempDir directory_;
  int count_ = 0;
};

}  // namespace sandbox
