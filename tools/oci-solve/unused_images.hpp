// Images and directories that were given for a build and that its Dockerfile does not name.
#pragma once

#include <string>
#include <vector>

#include "common/document/request.hpp"

namespace oci_solve {

// One line for each IMAGE_ARG_* and each name of BUILD_CONTEXTS in `request` (preloads laid out) that nothing
// in the Dockerfile uses: no stage, whether it is built or not, and no trigger that stands in the file. None
// where only BuildKit can read the Dockerfile, or nobody. What a trigger of a base image uses is not seen.
std::vector<std::string> warnings_of_unused_images(const document::Request& request);

}  // namespace oci_solve
