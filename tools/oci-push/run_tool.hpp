// All of oci-push: its main().
#pragma once

namespace oci_push {

// Takes the options of oci-push(1) and returns its exit code. Once per process: it handles signals from
// then on.
int run_tool(int argc, char** argv);

}  // namespace oci_push
