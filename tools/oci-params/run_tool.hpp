// All of oci-params: its main(), and a stage of build.
#pragma once

#include <string>

namespace params {

// Takes the options of oci-params(1) and returns its exit code. Once per process: it handles signals from
// then on.
int run_tool(int argc, char** argv);

// A line "NAME<TAB>description" for each parameter, a family as "BUILD_ARG_*".
std::string parameter_list();

}  // namespace params
