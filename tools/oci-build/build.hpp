// The whole build: from the task's environment to its outputs.
#pragma once

namespace oci_build {

// Runs every stage and publishes what they made; says what that is on stderr. Throws util::Error with the
// exit code of the stage that failed; then every output directory is as it was before.
void build();

}  // namespace oci_build
