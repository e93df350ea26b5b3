// What images are called among what a build was made of (package-url, types docker and oci).
#pragma once

#include <string>

#include "common/image/descriptor.hpp"

namespace attest {

// Where an image came from: a registry, or a layout on disk.
enum class ImageOrigin { registry, layout };

// "pkg:docker/debian@12?platform=linux%2Famd64", as BuildKit writes it. `name` is that of an image; throws
// util::Error for what is none.
std::string package_url(ImageOrigin origin, const std::string& name, const image::Platform& platform);

}  // namespace attest
