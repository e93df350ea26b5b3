// All of oci-unpack: its main(), and a stage of build.
#pragma once

namespace oci_unpack {

// Takes the options of oci-unpack(1) and returns its exit code. Once per process: it handles signals from
// then on.
int run_tool(int argc, char** argv);

}  // namespace oci_unpack
