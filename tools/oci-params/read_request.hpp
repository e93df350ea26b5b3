// The whole environment as one request.
#pragma once

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// Reads and checks every parameter, against the files of the current directory too. A parameter that cannot
// be used is an error in `findings`, and then the request is not to be used either.
document::Request read_request(const Environment& environment, Findings& findings);

}  // namespace params
