// Where layers come from and go to besides the build itself: the task's cache/, CACHE_FROM, CACHE_TO,
// and what of the first may stay.
#pragma once

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// CACHE_FROM and CACHE_TO hold one entry a line. A local directory to read from that holds no cache yet, as a
// Concourse cache on its first run, is left out with a warning. CACHE_MAX_SIZE is a whole number with a unit
// (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB; none is bytes), CACHE_MAX_AGE one with s, m, h, d or w.
document::Cache read_cache(const Environment& environment, Findings& findings);

}  // namespace params
