// The output directories of a build: filled in hidden staging directories, changed all at once or not at all.
#pragma once

#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"
#include "tools/oci-build/publication.hpp"

namespace oci_build {

// What every staging directory's name starts with.
inline constexpr std::string_view staging_prefix = ".oci-build-";

// Takes back or finishes what killed builds were publishing in `directory`, as one of them decided for all
// its directories, and removes what else they left there. Throws util::Error if that cannot be done; nothing
// that was put aside is removed then.
void recover(const std::filesystem::path& directory);

// The same for every directory in `parent`, of which a build that goes no further knows nothing else.
// Failures are warnings.
void recover_all(const std::filesystem::path& parent);

class Outputs {
public:
  // Makes a staging directory inside `directory` (which is often a mount point of its own, so that nothing
  // outside could be renamed into it), after recover(). Returns its path. Throws util::Error if `directory`
  // was staged before, cannot be written, or holds something under one of the output names that no build
  // made: that is never replaced.
  std::filesystem::path stage(const std::filesystem::path& directory);

  // Moves everything under an output name from the staging directories into place. Throws util::Error if
  // that fails somewhere; then all directories are as they were. What keeps them from that stays for
  // recover(). At most once.
  void publish();

private:
  struct Staged {
    std::filesystem::path directory;
    std::filesystem::path canonical;
    sys::UniqueFd lock;  // held while this build runs: how others tell it from a leftover
    sys::TempDir staging;
  };

  std::vector<Publication> begin() const;
  void keep_staging() noexcept;

  std::list<Staged> staged_;
};

}  // namespace oci_build
