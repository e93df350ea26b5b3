// From a request and the user's buildkitd.toml to the registry client's settings.
#include "common/native/settings.hpp"

#include "common/buildkit/daemon_config.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

registry::HostSettings host_settings(const std::string& host, buildkit::RegistryTable table) {
  // The TLS library shows one certificate to a host; which of several, the host would have to say first.
  if (table.key_pairs.size() > 1) {
    throw util::Error("BUILDKIT_EXTRA_CONFIG: registry." + util::quote(host) +
                      " has several key pairs; keep one, or use ENGINE=buildkit");
  }
  registry::HostSettings settings{.mirrors = std::move(table.mirrors),
                                  .plain_http = table.http,
                                  .insecure = table.insecure.value_or(false),
                                  .ca = std::move(table.ca),
                                  .key_pair = {},
                                  .certificate_dirs = std::move(table.certificate_dirs)};
  if (!table.key_pairs.empty()) {
    const auto& pair = table.key_pairs.front();
    settings.key_pair = http::KeyPair{.certificate = pair.certificate, .key = pair.key};
  }
  return settings;
}

}  // namespace

std::vector<std::string> unread_keys(const document::Request& request) {
  if (!request.buildkit_config) return {};
  return buildkit::registry_tables(*request.buildkit_config).other_keys;
}

registry::Settings registry_settings(const document::Request& request) {
  registry::Settings settings;
  settings.docker_config = request.docker_config;
  if (request.buildkit_config) {
    auto tables = buildkit::registry_tables(*request.buildkit_config);
    for (auto& [host, table] : tables.hosts)
      settings.hosts.emplace(host, host_settings(host, std::move(table)));
  }
  if (!request.registry_mirrors.empty()) {
    auto& mirrors = settings.hosts["docker.io"].mirrors;
    if (!mirrors.empty()) {
      throw util::Error(
          "BUILDKIT_EXTRA_CONFIG sets the mirrors of docker.io, as REGISTRY_MIRRORS does; remove one of "
          "them");
    }
    mirrors = request.registry_mirrors;
  }
  return settings;
}

}  // namespace native
