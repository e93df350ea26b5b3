// What is built: targets and platforms.
#pragma once

#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// ADDITIONAL_TARGETS in their order, then the main one (TARGET, TARGET_FILE, or the last stage), each with
// its output directory where that exists.
std::vector<document::Target> read_targets(const Environment& environment, Findings& findings);

// IMAGE_PLATFORM.
std::vector<image::Platform> read_platforms(const Environment& environment);

}  // namespace params
