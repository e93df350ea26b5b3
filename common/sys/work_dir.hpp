// The private directory of one run, which the next run clears away if this one is killed.
#pragma once

#include <filesystem>
#include <string>

#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"

namespace sys {

// Made in `parent`, where what dead runs of ours left is removed first; that a run lives is told by a lock on
// its directory, which the kernel takes back however the run ends. Throws Error if it cannot be made;
// leftovers that cannot be removed are a warning.
class WorkDir {
public:
  // The name starts with `prefix`, and what is removed does too: each use has one of its own.
  explicit WorkDir(const std::filesystem::path& parent, const std::string& prefix = "oci-work-");

  const std::filesystem::path& path() const noexcept { return directory_.path(); }

private:
  struct Locked {
    UniqueFd lock;
    TempDir directory;
  };
  explicit WorkDir(Locked made);
  static Locked make(const std::filesystem::path& parent, const std::string& prefix);

  UniqueFd lock_;  // given back last: what is unlocked may be removed by others
  TempDir directory_;
};

}  // namespace sys
