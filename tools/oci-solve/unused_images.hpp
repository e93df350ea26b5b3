// Images, directories and stages that parameters name and the Dockerfile does not.
#pragma once

#include <string>
#include <vector>

#include "common/native/definition.hpp"

namespace oci_solve {

// One line for each IMAGE_ARG_* and each name of BUILD_CONTEXTS in the request (preloads laid out) that
// nothing in the Dockerfile uses: no stage, whether it is built or not, and no trigger that stands in the
// file; and for each stage of NO_CACHE that it does not have. None where only BuildKit can read the
// Dockerfile, or nobody. What a trigger of a base image uses is not seen, and said to be so.
std::vector<std::string> warnings_of_unused_images(const native::Definition& definition);

}  // namespace oci_solve
