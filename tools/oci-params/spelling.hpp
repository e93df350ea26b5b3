// Variables that look like a parameter and are none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/oci-params/environment.hpp"

namespace params {

// What `variable` was probably meant to be: "BUILD_ARGS_FILE", "IMAGE_ARG_base", or "BUILD_ARG_NAME" where
// the name is missing. Nothing for a parameter, and for what an ordinary environment holds.
std::optional<std::string> meant_parameter(const std::string& variable);

// A warning for each variable that is no parameter and was probably meant to be one.
std::vector<std::string> spelling_warnings(const Environment& environment);

}  // namespace params
