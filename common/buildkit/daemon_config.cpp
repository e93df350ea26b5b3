// buildkitd.toml over toml++.
#include "common/buildkit/daemon_config.hpp"

#include <toml++/toml.h>

#include <set>
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

// Reads one table key by key and remembers which.
class TableReader {
public:
  TableReader(const toml::table& table, std::string path) : table_(table), path_(std::move(path)) {}

  std::optional<bool> boolean(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return std::nullopt;
    const auto value = node->value_exact<bool>();
    if (!value) fail(key, "expected true or false");
    return *value;
  }

  std::string string(std::string_view key) {
    const auto* node = find(key);
    const auto value = node == nullptr ? std::nullopt : node->value_exact<std::string>();
    if (!value) fail(key, "expected a string");
    return *value;
  }

  std::vector<std::string> strings(std::string_view key) {
    std::vector<std::string> values;
    const auto* node = find(key);
    if (node == nullptr) return values;
    if (!node->is_array()) fail(key, "expected a list of strings");
    for (const auto& element : *node->as_array()) {
      const auto value = element.value_exact<std::string>();
      if (!value) fail(key, "expected a list of strings");
      values.push_back(*value);
    }
    return values;
  }

  std::vector<TableReader> tables(std::string_view key) {
    std::vector<TableReader> readers;
    const auto* node = find(key);
    if (node == nullptr) return readers;
    if (!node->is_array_of_tables()) fail(key, "expected tables");
    for (const auto& element : *node->as_array())
      readers.emplace_back(*element.as_table(), path_of(key));
    return readers;
  }

  void add_unread_to(std::vector<std::string>& keys) const {
    for (const auto& [key, value] : table_) {
      if (!read_.contains(std::string(key.str()))) keys.push_back(path_of(key.str()));
    }
  }

private:
  const toml::node* find(std::string_view key) {
    read_.emplace(key);
    return table_.get(key);
  }

  std::string path_of(std::string_view key) const { return path_ + "." + written(key); }

  [[noreturn]] void fail(std::string_view key, const std::string& reason) const {
    throw util::Error("BUILDKIT_EXTRA_CONFIG: " + path_of(key) + ": " + reason);
  }

  const toml::table& table_;
  std::string path_;
  std::set<std::string> read_;
};

RegistryTable read_registry(const toml::table& table, const std::string& path,
                            std::vector<std::string>& other_keys) {
  TableReader reader(table, path);
  const auto paths = [](const std::vector<std::string>& texts) {
    return std::vector<std::filesystem::path>(texts.begin(), texts.end());
  };
  RegistryTable registry{.mirrors = reader.strings("mirrors"),
                         .http = reader.boolean("http"),
                         .insecure = reader.boolean("insecure"),
                         .ca = paths(reader.strings("ca")),
                         .key_pairs = {},
                         .certificate_dirs = paths(reader.strings("tlsconfigdir"))};
  for (auto& pair : reader.tables("keypair"))
    registry.key_pairs.push_back({.key = pair.string("key"), .certificate = pair.string("cert")});
  reader.add_unread_to(other_keys);
  return registry;
}

}  // namespace

RegistryTables registry_tables(const std::string& extra) {
  const auto config = parse(extra);
  RegistryTables tables;
  for (const auto& [key, value] : config) {
    if (key.str() != "registry") tables.other_keys.push_back(written(key.str()));
  }
  const auto* registries = config.get("registry");
  if (registries == nullptr) return tables;
  if (!registries->is_table()) throw util::Error("BUILDKIT_EXTRA_CONFIG: registry: expected tables");
  for (const auto& [host, value] : *registries->as_table()) {
    const auto path = "registry." + written(host.str());
    if (!value.is_table()) throw util::Error("BUILDKIT_EXTRA_CONFIG: " + path + ": expected a table");
    tables.hosts.emplace(host.str(), read_registry(*value.as_table(), path, tables.other_keys));
  }
  return tables;
}

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
