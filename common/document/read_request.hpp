// How tools get their request.
#pragma once

#include "common/document/request.hpp"

namespace document {

// The one on stdin. Throws like parse_request, and an Error without a message if stdin is a pipe on which
// nothing came: the tool before in it has failed.
Request read_request();

}  // namespace document
