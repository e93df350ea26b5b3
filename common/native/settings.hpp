// What a request says about registries, in the words of the registry client.
#pragma once

#include "common/document/request.hpp"
#include "common/registry/settings.hpp"

namespace native {

// REGISTRY_MIRRORS, the [registry] tables of BUILDKIT_EXTRA_CONFIG and DOCKER_CONFIG. Throws util::Error.
registry::Settings registry_settings(const document::Request& request);

}  // namespace native
