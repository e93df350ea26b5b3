// The output directories of a build: filled in hidden staging directories, changed all at once or not at all.
#pragma once

#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"

namespace oci_build {

// What every staging directory's name starts with.
inline constexpr std::string_view staging_prefix = ".oci-build-";

// Everything a build may leave in an output directory. What an earlier build left under these names and this
// one does not make goes away, so that all files of a directory speak of the same image.
inline constexpr std::string_view output_names[] = {"image.tar",       "image",  "digest",
                                                    "manifest-digest", "rootfs", "metadata.json"};

class Outputs {
public:
  // Makes a staging directory inside `directory` (which is often a mount point of its own, so that nothing
  // outside could be renamed into it) and removes those that killed builds left there. Returns its path.
  // Throws util::Error if `directory` was staged before, cannot be written, or holds something under one of
  // the output names that no build made: that is never replaced.
  std::filesystem::path stage(const std::filesystem::path& directory);

  // Moves everything under an output name from the staging directories into place. Throws util::Error if
  // that fails somewhere; then all directories are as they were. At most once.
  void publish();

private:
  struct Staged {
    std::filesystem::path directory;
    std::filesystem::path canonical;
    sys::TempDir staging;
    sys::UniqueFd lock;  // held while this build runs: how others tell it from a leftover
  };

  std::list<Staged> staged_;
};

}  // namespace oci_build
