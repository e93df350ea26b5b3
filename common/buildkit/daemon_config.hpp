// The configuration file of our own buildkitd.
#pragma once

#include <filesystem>
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

}  // namespace buildkit
