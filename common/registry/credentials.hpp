// What we log in to registries with: Docker's config.json and its credential helpers.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace registry {

// A login; every field is a secret but the user's name. One of password, identity_token, registry_token is
// given.
struct Credential {
  std::string username = {};
  std::string password = {};
  std::string identity_token = {};  // traded for bearer tokens at the token service
  std::string registry_token = {};  // a bearer token itself

  friend bool operator==(const Credential&, const Credential&) = default;
};

// The part of config.json that is about logins; its fields may be written in any case.
struct DockerConfig {
  std::map<std::string, Credential> auths;     // by what was logged in to: a host or a URL
  std::map<std::string, std::string> helpers;  // credHelpers: by host, the helper's short name; empty: auths
  std::string store;                           // credsStore: the helper for all other hosts
};

// `what` names the document in errors, which never show a value. Throws util::Error.
DockerConfig parse_docker_config(std::string_view json, const std::string& what);

// The login for each host, looked up when first asked for. Thread-safe.
class Credentials {
public:
  // `directory` holds config.json; nothing, or no such file, means no logins. Throws util::Error.
  // A helper that takes longer than `patience` is stopped.
  explicit Credentials(const std::optional<std::filesystem::path>& directory,
                       std::chrono::milliseconds patience = std::chrono::minutes(1));

  // The login for an endpoint's host, nothing if there is none. Runs docker-credential-NAME where config.json
  // says so. Throws util::Error naming a helper that is missing, fails, does not end, or prints no login.
  std::optional<Credential> find(const std::string& host);

private:
  std::optional<Credential> look_up(const std::string& host) const;
  std::optional<Credential> of_helper(const std::string& helper, const std::string& host,
                                      const std::string& key) const;
  std::optional<Credential> in_auths(const std::string& host, const std::string& key) const;

  DockerConfig config_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::map<std::string, std::optional<Credential>> found_;
};

}  // namespace registry
