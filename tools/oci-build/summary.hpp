// What `build` says at its end: the files it made, the time it took.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/oci-build/pipeline.hpp"

namespace oci_build {

// One file, or directory with a slash at its end, in its final place. `note` is what is worth knowing of it:
// mostly a digest.
struct ExportedFile {
  std::filesystem::path path;
  std::uint64_t size = 0;  // of all files in it, for a directory
  std::string note;
};

// One built target.
struct Export {
  std::optional<std::string> target;
  std::string directory;            // where its output goes if that directory exists
  std::vector<ExportedFile> files;  // empty = built only
};

// The size of a file, or of all regular files below a directory (a file with several links counts once).
// Throws util::Error.
std::uint64_t disk_size(const std::filesystem::path& path);

// Lines without a newline at the end: a table of all files, a line for each target that was built only, and
// the stages with their times.
std::string summary(const std::vector<Export>& exports, const std::vector<Stage>& stages,
                    std::chrono::milliseconds total);

}  // namespace oci_build
