// Where layers come from and go to besides the build itself: the task's cache/, CACHE_FROM, CACHE_TO.
#pragma once

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// CACHE_FROM and CACHE_TO hold one entry a line. A local directory to read from that holds no cache yet, as a
// Concourse cache on its first run, is left out with a warning.
document::Cache read_cache(const Environment& environment, Findings& findings);

}  // namespace params
