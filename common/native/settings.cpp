// Registry settings of a request.
#include "common/native/settings.hpp"

#include "common/util/error.hpp"

namespace native {

registry::Settings registry_settings(const document::Request& request) {
  registry::Settings settings;
  if (!request.registry_mirrors.empty()) settings.hosts["docker.io"].mirrors = request.registry_mirrors;
  settings.docker_config = request.docker_config;
  return settings;
}

}  // namespace native
