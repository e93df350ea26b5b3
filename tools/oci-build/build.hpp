// The whole build: from the task's environment to its outputs.
#pragma once

#include <optional>
#include <string>

namespace oci_build {

// Runs every stage and publishes what they made; says what that is on stderr. Throws util::Error with the
// exit code of the stage that failed; then every output directory is as it was before. `progress` takes the
// place of BUILDKIT_PROGRESS.
void build(const std::optional<std::string>& progress);

}  // namespace oci_build
