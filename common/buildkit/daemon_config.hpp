// The configuration file of our own buildkitd, and what others read in the user's part of it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace buildkit {

// What the private daemon needs; all paths are absolute.
struct DaemonSettings {
  std::filesystem::path root;    // its state
  std::filesystem::path socket;  // where it listens, and nowhere else
  std::filesystem::path
      otel_socket;                // where steps hand in traces; BuildKit's own default is shared by daemons
  std::filesystem::path runtime;  // runc
  std::vector<std::string> registry_mirrors = {};  // of docker.io
};

// The TOML text of `settings` merged with what the user adds (TOML too). Some of what we set is only a
// default (the OCI runtime, no garbage collection, no containerd); the rest is ours alone.
//   Throws Error when `extra` is no TOML (with its line), or sets a key that is ours (naming the table and
//   key).
std::string daemon_config(const DaemonSettings& settings, const std::optional<std::string>& extra);

// A table [registry."HOST"]. Nothing where the key is not set.
struct RegistryTable {
  struct KeyPair {
    std::filesystem::path key;
    std::filesystem::path certificate;
  };

  std::vector<std::string> mirrors = {};
  std::optional<bool> http = {};
  std::optional<bool> insecure = {};
  std::vector<std::filesystem::path> ca = {};
  std::vector<KeyPair> key_pairs = {};                       // [[registry."HOST".keypair]]
  std::vector<std::filesystem::path> certificate_dirs = {};  // tlsconfigdir
};

struct RegistryTables {
  std::map<std::string, RegistryTable> hosts;
  std::vector<std::string> other_keys;  // set by the user but not read here: 'worker', 'registry."x".proxy'
};

// The registries of what the user adds to buildkitd.toml. Throws Error when `extra` is no TOML (with its
// line), or a key of a registry has a value of another kind.
RegistryTables registry_tables(const std::string& extra);

}  // namespace buildkit
