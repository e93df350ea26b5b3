// buildkitd.toml over toml++.
#include "common/buildkit/daemon_config.hpp"

#include <toml++/toml.h>

#include <sstream>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace buildkit {
namespace {

// How a key is written in TOML: quoted unless it is bare ("docker.io" is not).
std::string written(std::string_view key) {
  const bool bare = !key.empty() && key.find_first_not_of(
                                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_-") == std::string_view::npos;
  return bare ? std::string(key) : "\"" + std::string(key) + "\"";
}

[[noreturn]] void throw_clash(const std::string& table, std::string_view key) {
  const auto place = table.empty() ? std::string() : " in table [" + table + "]";
  throw util::Error("BUILDKIT_EXTRA_CONFIG sets " + util::quote(written(key)) + place +
                    ", which this task sets itself; remove it there");
}

enum class Clash { error, keep_theirs };

// Adds `ours` to `theirs`, table by table.
void merge(toml::table& theirs, const toml::table& ours, Clash clash, const std::string& path = "") {
  for (const auto& [key, value] : ours) {
    auto* present = theirs.get(key);
    if (present == nullptr) {
      theirs.insert(key, value);
    } else if (value.is_table() && present->is_table()) {
      merge(*present->as_table(), *value.as_table(), clash,
            (path.empty() ? "" : path + ".") + written(key.str()));
    } else if (clash == Clash::error) {
      throw_clash(path, key.str());
    }
  }
}

toml::table parse(const std::string& text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw util::Error("BUILDKIT_EXTRA_CONFIG is not valid TOML: line " +
                      std::to_string(error.source().begin.line) + ": " +
                      util::escape(std::string(error.description())));
  }
}

}  // namespace

std::string daemon_config(const DaemonSettings& settings, const std::optional<std::string>& extra) {
  auto config = extra ? parse(*extra) : toml::table();

  toml::table ours{
      {"root", settings.root.string()},
      {"grpc", toml::table{{"address", toml::array{"unix://" + settings.socket.string()}}}},
  };
  if (!settings.registry_mirrors.empty()) {
    toml::array mirrors;
    for (const auto& mirror : settings.registry_mirrors)
      mirrors.push_back(mirror);
    ours.insert("registry", toml::table{{"docker.io", toml::table{{"mirrors", std::move(mirrors)}}}});
  }
  merge(config, ours, Clash::error);

  // The daemon lives for one build: collecting garbage could only take away what that build needs. A
  // containerd that happens to run on the machine is not ours to use.
  const toml::table defaults{
      {"otel", toml::table{{"socketPath", settings.otel_socket.string()}}},
      {"worker",
       toml::table{
           {"oci", toml::table{{"enabled", true}, {"gc", false}, {"binary", settings.runtime.string()}}},
           {"containerd", toml::table{{"enabled", false}}}}},
  };
  merge(config, defaults, Clash::keep_theirs);

  std::ostringstream text;
  text << config << '\n';
  return text.str();
}

}  // namespace buildkit
