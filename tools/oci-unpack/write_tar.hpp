// A root filesystem as a tar.
#pragma once

#include <filesystem>

#include "common/stream/sink.hpp"

namespace oci_unpack {

// Writes everything in `rootfs`, itself as "./", with owners, modes, times in whole seconds, extended
// attributes (SCHILY.xattr records), hard links and devices; names of each directory in byte order. `sink` is
// not finished. Throws util::Error.
void write_tar(const std::filesystem::path& rootfs, stream::Sink& sink);

}  // namespace oci_unpack
