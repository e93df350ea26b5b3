// What docker save wrote before it wrote OCI layouts: a tar with manifest.json, a config and layers.
#pragma once

#include <memory>
#include <string>

#include "common/image/archive.hpp"
#include "common/image/members.hpp"

namespace image {

// Reads manifest.json and the configs. Throws util::Error naming `what`.
std::unique_ptr<Archive> open_docker_archive(std::unique_ptr<Members> members, const std::string& what);

}  // namespace image
