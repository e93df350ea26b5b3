// What no engine can build, whatever it is.
#pragma once

#include "common/document/request.hpp"

namespace engine {

// Throws util::Error naming the parameters of `request` that exclude each other, with the fix.
void check_combinations(const document::Request& request);

}  // namespace engine
