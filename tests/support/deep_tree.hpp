// Directories deeper than a path can say.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "common/sys/fd.hpp"

namespace test {

// Seventeen directories in each other below `directory`, whose names have 255 bytes: few calls for a path of
// more than PATH_MAX.
inline void make_too_deep(const std::filesystem::path& directory) {
  const std::string name(255, 'd');
  sys::UniqueFd at(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int level = 0; level < 17; ++level) {
    ::mkdirat(at.get(), name.c_str(), 0755);
    at = sys::UniqueFd(::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
}

}  // namespace test
