// An image as a directory: rootfs/ and metadata.json, as Concourse reads them, and labels.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

#include "common/image/archive.hpp"
#include "common/layer/apply.hpp"

namespace oci_unpack {

// Unpacks `image` of `archive` into `destination`/rootfs and writes metadata.json and labels.json beside it.
// `destination` is made if it is absent; its parent must exist. A rootfs that holds something is an Error.
// All appear when all digests were verified; on an Error, a cancellation included, nothing is left behind.
// Says on stderr what was done and what could not be kept.
void unpack(const image::Archive& archive, const image::Image& image,
            const std::filesystem::path& destination, const layer::ApplyOptions& options);

// One line of JSON: env, user, entrypoint, cmd, workdir.
std::string to_metadata(const image::Config& config);

// One line of JSON: the image's labels, name by name, as a registry-image resource leaves them.
std::string to_labels(const image::Config& config);

// The root filesystem alone, as a tar on stdout; nothing is written before all of it is verified. It is
// unpacked to a temporary directory first. Throws util::Error, also where stdout is a terminal.
void unpack_to_stdout(const image::Archive& archive, const image::Image& image,
                      const layer::ApplyOptions& options);

}  // namespace oci_unpack
