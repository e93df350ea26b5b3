// A root filesystem as a tar.
#pragma once

#include <filesystem>

#include "common/stream/sink.hpp"

namespace oci_unpack {

// Writes everything in `rootfs`, itself as "./", with owners, modes, times, extended attributes
// (SCHILY.xattr records), hard links, devices and holes (GNU tar's format 1.0); names of each directory in
// byte order. `sink` is not finished. Throws util::Error.
void write_tar(const std::filesystem::path& rootfs, stream::Sink& sink);

}  // namespace oci_unpack
