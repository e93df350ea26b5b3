// What one run writes beside its goal, which the next run clears away if this one is killed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"

namespace sys {

// Removes the directories and files of ours in `parent` that runs which died made under `prefix` and six more
// characters: that a run lives is told by a lock on what it made, which the kernel takes back however the run
// ends. What cannot be removed is a warning.
void remove_leftovers(const std::filesystem::path& parent, const std::string& prefix);

// A private directory. Made in `parent`, after remove_leftovers() there. Throws Error if it cannot be made.
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

// A file that takes its place when it is finished. The same, but for those who write by its path: the file of
// that path may be replaced meanwhile. Without commit() it is removed.
class WorkFile {
public:
  WorkFile(const std::filesystem::path& parent, const std::string& prefix, mode_t mode = 0644);
  WorkFile(const WorkFile&) = delete;
  WorkFile& operator=(const WorkFile&) = delete;
  ~WorkFile();

  const std::filesystem::path& path() const noexcept { return path_; }

  // Renames it, replacing what is there. Throws Error. At most once.
  void commit(const std::filesystem::path& place);

private:
  std::filesystem::path path_;
  UniqueFd lock_;
};

}  // namespace sys
