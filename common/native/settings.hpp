// What a request says about registries, in the words of the registry client.
#pragma once

#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/registry/settings.hpp"

namespace native {

// What BUILDKIT_EXTRA_CONFIG sets and only buildkitd reads, as it is written there: "worker",
// "registry.\"x\".proxy". Throws util::Error.
std::vector<std::string> unread_keys(const document::Request& request);

// REGISTRY_MIRRORS, the [registry] tables of BUILDKIT_EXTRA_CONFIG and DOCKER_CONFIG. Throws util::Error.
registry::Settings registry_settings(const document::Request& request);

}  // namespace native
