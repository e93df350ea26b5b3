// All of oci-merge: its main().
#pragma once

namespace oci_merge {

// Takes the options of oci-merge(1) and returns its exit code. Once per process: it handles signals from
// then on.
int run_tool(int argc, char** argv);

}  // namespace oci_merge
