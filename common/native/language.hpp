// What a look at a Dockerfile tells before its build starts.
#pragma once

#include <optional>
#include <string>

#include "common/dockerfile/file.hpp"
#include "common/dockerfile/scope.hpp"
#include "common/document/request.hpp"

namespace native {

// How the file of `request` is to be read: its name, and what build args say in place of its directives.
dockerfile::ParseOptions parse_options(const document::Request& request);

// Its ARGs before the first FROM, as they are on this machine's platform.
dockerfile::GlobalScope global_scope(const document::Request& request, const dockerfile::File& file);

// What the Dockerfile of `request` asks for that only BuildKit does, in words that follow "the build asks
// for"; nothing if there is no such thing. Runs and pulls nothing; a file that cannot be read or understood
// asks for nothing: whoever builds it says what is wrong.
std::optional<std::string> left_out_of_language(const document::Request& request);

// False only if no step can run in the build of `request`: none is in its Dockerfile, nor a base image whose
// triggers could hold one.
bool may_run_steps(const document::Request& request);

}  // namespace native
