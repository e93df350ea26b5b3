// What a base image may be.
#pragma once

#include <string>

#include "common/image/reference.hpp"

namespace plan {

// The image that a stage calls its base, by tag "latest" where it gives none. Throws
// dockerfile::SyntaxError in BuildKit's words for what names no image.
image::Reference base_reference(const std::string& name);

// Paths, shells and layers of windows are others: throws dockerfile::SyntaxError.
void refuse_windows(const std::string& os);

}  // namespace plan
