// How registries are reached: what REGISTRY_MIRRORS, BUILDKIT_EXTRA_CONFIG and DOCKER_CONFIG say about them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/http/client.hpp"

namespace registry {

// One [registry."HOST"] table of buildkitd.toml.
struct HostSettings {
  std::vector<std::string> mirrors = {};  // "host[:port][/path]", asked in order before the host itself
  std::optional<bool> plain_http = {};    // "http"; not given: with hosts of the machine itself
  bool insecure = false;                  // take any certificate; with http: https first, then plain http
  std::vector<std::filesystem::path> ca = {};                // PEM files, trusted beside the system's
  std::optional<http::KeyPair> key_pair = {};                // shown to who asks for a certificate of ours
  std::vector<std::filesystem::path> certificate_dirs = {};  // X.crt is a CA, X.cert and X.key a key pair
};

struct Settings {
  std::map<std::string, HostSettings> hosts = {};           // by "docker.io", "registry.example:5000"
  std::optional<std::filesystem::path> docker_config = {};  // directory that holds config.json
  http::Retry retry = {};
  http::Timeouts timeouts = {};
  // What helps, in the words of whoever asks: where nobody vouches for a certificate, and where a registry
  // wants fewer requests.
  std::string trust_advice = "give the certificate of its authority as 'ca' in BUILDKIT_EXTRA_CONFIG";
  std::string limit_advice = "log in by DOCKER_CONFIG, or use a mirror by REGISTRY_MIRRORS";
};

}  // namespace registry
