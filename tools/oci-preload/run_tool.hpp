// All of oci-preload: its main(), and a stage of build.
#pragma once

namespace oci_preload {

// Takes the options of oci-preload(1) and returns its exit code. Once per process: it handles signals from
// then on.
int run_tool(int argc, char** argv);

}  // namespace oci_preload
