// A merged image on disk.
#pragma once

#include <filesystem>

#include "tools/oci-merge/merge.hpp"

namespace oci_merge {

// An OCI layout directory that stands alone, its one entry named "latest". `directory` is made if it is
// absent; its parent must exist, and it must be empty. Blobs are hard-linked or cloned where that can be
// done. Every one is checked, and nothing is there before the end. Throws util::Error; then nothing is left
// behind.
void write_layout(const Merged& merged, const std::filesystem::path& directory);

// The same as a tar, which takes the place of what was at `path` at the end.
void write_archive(const Merged& merged, const std::filesystem::path& path);

}  // namespace oci_merge
