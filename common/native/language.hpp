// What a look at a Dockerfile tells before its build starts.
#pragma once

#include <optional>
#include <string>

#include "common/native/definition.hpp"

namespace native {

// What a Dockerfile, with the images that are given to it, asks for that only BuildKit does, in words that
// follow "the build asks for"; nothing if there is no such thing. Runs and pulls nothing; a file that cannot
// be read or understood asks for nothing: whoever builds it says what is wrong.
std::optional<std::string> left_out_of_language(const Definition& definition);

// False only if no step can run in the build: none is in the Dockerfile, nor a base image whose triggers
// could hold one.
bool may_run_steps(const Definition& definition);

}  // namespace native
