// Whether an image is an index, with a manifest for each platform.
#pragma once

#include "common/document/request.hpp"

namespace engine {

// True if the build of `request` makes an index and names the platform in what it shows: it is for several
// platforms, or the build arg BUILDKIT_MULTI_PLATFORM says so, also of one. Throws util::Error for a value of
// that arg that is no boolean or denies several platforms.
bool is_multi_platform(const document::Request& request);

}  // namespace engine
