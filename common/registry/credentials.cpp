// config.json as the docker client reads it, and its protocol with credential helpers.
#include "common/registry/credentials.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/hash/base64.hpp"
#include "common/sys/file.hpp"
#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace registry {
namespace {

constexpr std::size_t most_helper_output = 1 << 20;
constexpr std::string_view hub_host = "registry-1.docker.io";
constexpr std::string_view hub_key =
    "https://index.docker.io/v1/";                  // what `docker login` writes for Docker Hub
constexpr std::string_view token_user = "<token>";  // how helpers mark an identity token

std::optional<Credential> parse_auth(const util::JsonFields& fields) {
  Credential credential;
  credential.username = fields.optional_string("username").value_or("");
  credential.password = fields.optional_string("password").value_or("");
  credential.identity_token = fields.optional_string("identitytoken").value_or("");
  credential.registry_token = fields.optional_string("registrytoken").value_or("");
  if (const auto encoded = fields.optional_string("auth"); encoded && !encoded->empty()) {
    auto decoded = hash::decode_base64(*encoded);
    const auto colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) fields.fail("auth", "expected the base64 of USER:PASSWORD");
    credential.username = decoded->substr(0, colon);
    credential.password = decoded->substr(colon + 1);
    // Old clients padded the password with NUL bytes.
    credential.password.erase(credential.password.find_last_not_of('\0') + 1);
  }
  if (credential.password.empty() && credential.identity_token.empty() && credential.registry_token.empty()) {
    return std::nullopt;  // a mark that the login is kept elsewhere, in credsStore
  }
  return credential;
}

// "https://registry.example/v1/" was logged in to for the host "registry.example".
std::string_view host_of(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos) key.remove_prefix(scheme + 3);
  return key.substr(0, std::min(key.find('/'), key.size()));
}

bool is_hub(std::string_view host) {
  return host == hub_host || host == "index.docker.io" || host == "docker.io";
}

// Whether what was logged in to, as `name` says, is `host`.
bool is_meant(std::string_view name, std::string_view host) {
  return host_of(name) == host || (is_hub(host) && is_hub(host_of(name)));
}

std::optional<Credential> parse_helper_output(const std::string& output, const std::string& what) {
  const auto document = util::with_names(util::parse_json(output, what), {"Secret", "Username"});
  const util::JsonFields fields(document, what);
  Credential credential;
  const auto secret = fields.optional_string("Secret").value_or("");
  credential.username = fields.optional_string("Username").value_or("");
  if (secret.empty()) return std::nullopt;
  if (credential.username == token_user) {
    credential.username.clear();
    credential.identity_token = secret;
  } else {
    credential.password = secret;
  }
  return credential;
}

// For who looks into it.
std::string by_hand(const std::string& program, const std::string& key) {
  return "; see what 'echo " + key + " | " + program + " get' does there, or log in with 'auths' instead";
}

std::optional<Credential> ask_helper(const std::string& name, const std::string& key,
                                     std::chrono::milliseconds patience) {
  const auto program = "docker-credential-" + name;
  if (name.find('/') != std::string::npos) {
    throw util::Error("config.json names the credential helper " + util::quote(name) + ", which is no name");
  }
  if (!sys::find_program(program)) {
    throw util::Error("config.json names the credential helper " + util::quote(program) +
                      ", which is not on PATH; install it, or log in with 'auths' instead");
  }
  const std::string helper = "credential helper " + util::quote(program);
  const auto result = [&] {
    try {
      return sys::run_captured({.argv = {program, "get"}}, key + "\n", most_helper_output, {}, patience);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
      throw util::Error("credential helper " + std::string(error.what()) + by_hand(program, key));
    }
  }();
  if (result.status.success()) {
    try {
      return parse_helper_output(result.output, "its output");
    } catch (const util::Error& error) {
      throw util::Error(helper + " gives no login: " + error.what() + by_hand(program, key));
    }
  }
  // The protocol has no code for this: helpers are told apart by their words.
  for (const std::string_view nothing : {"credentials not found", "no credentials server URL"}) {
    if (result.output.find(nothing) != std::string::npos) return std::nullopt;
  }
  throw util::Error(helper + " " + result.status.describe() + ": " +
                    util::escape(util::trim(result.output), 200));
}

}  // namespace

DockerConfig parse_docker_config(std::string_view json, const std::string& what) {
  DockerConfig config;
  const auto document =
      util::with_names(util::parse_json(json, what), {"auths", "credHelpers", "credsStore"});
  const util::JsonFields fields(document, what);
  if (fields.optional_object("auths")) {
    for (const auto& [key, value] : fields.at("auths").items()) {
      if (value.is_null()) continue;
      const auto entry =
          util::with_names(value, {"username", "password", "auth", "identitytoken", "registrytoken"});
      if (const auto credential = parse_auth({entry, what, "auths." + key}))
        config.auths.emplace(key, *credential);
    }
  }
  if (const auto helpers = fields.optional_object("credHelpers")) {
    for (const auto& entry : fields.at("credHelpers").items())
      config.helpers.emplace(entry.key(), helpers->string(entry.key()));
  }
  config.store = fields.optional_string("credsStore").value_or("");
  return config;
}

Credentials::Credentials(const std::optional<std::filesystem::path>& directory,
                         std::chrono::milliseconds patience)
    : patience_(patience) {
  if (!directory) return;
  const auto path = *directory / "config.json";
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return;
  config_ = parse_docker_config(sys::read_file(path), util::quote(path.string()));
}

std::optional<Credential> Credentials::find(const std::string& host) {
  // Held while a helper runs: whoever else asks wants the same answer.
  const std::lock_guard lock(mutex_);
  auto found = found_.find(host);
  if (found == found_.end()) found = found_.emplace(host, look_up(host)).first;
  return found->second;
}

std::optional<Credential> Credentials::of_helper(const std::string& helper, const std::string& host,
                                                 const std::string& key) const {
  auto credential = ask_helper(helper, key, patience_);
  // The one thing that helpers cannot keep.
  if (const auto kept = in_auths(host, key); kept && !kept->registry_token.empty()) {
    if (!credential) credential.emplace();
    credential->registry_token = kept->registry_token;
  }
  return credential;
}

std::optional<Credential> Credentials::in_auths(const std::string& host, const std::string& key) const {
  if (const auto exact = config_.auths.find(key); exact != config_.auths.end()) return exact->second;
  for (const auto& [name, credential] : config_.auths) {
    if (is_meant(name, host)) return credential;
  }
  return std::nullopt;
}

std::optional<Credential> Credentials::look_up(const std::string& host) const {
  const std::string key(is_hub(host) ? hub_key : host);
  // As in the docker client, a host has one place for its login, and an empty name of a helper means "auths".
  for (const auto& [name, helper] : config_.helpers) {
    if (name != key && !is_meant(name, host)) continue;
    return helper.empty() ? in_auths(host, key) : of_helper(helper, host, key);
  }
  return config_.store.empty() ? in_auths(host, key) : of_helper(config_.store, host, key);
}

}  // namespace registry
