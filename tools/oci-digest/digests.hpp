// The digests that an image archive has.
#pragma once

#include <optional>
#include <string>

#include "common/image/archive.hpp"

namespace oci_digest {

// Of the image for `platform`, chosen as image::Archive::image does.
hash::Digest config_digest(const image::Archive& archive, const std::optional<image::Platform>& platform);

// Throws util::Error for a docker-save tar that holds no manifest.
hash::Digest manifest_digest(const image::Archive& archive, const std::optional<image::Platform>& platform);

// Throws util::Error for a docker-save tar that holds no manifest, and where several images stand side by
// side.
hash::Digest index_digest(const image::Archive& archive);

// One line of JSON, schema "oci-build/digest/1", without a newline: the three digests, null where there is
// none, and those of each platform. Where several platforms are there, none is given and none fits this
// machine, "config" and "manifest" are null.
std::string to_json(const image::Archive& archive, const std::optional<image::Platform>& platform);

}  // namespace oci_digest
