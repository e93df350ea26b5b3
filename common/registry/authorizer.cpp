// Basic and bearer authentication.
#include "common/registry/authorizer.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "common/hash/base64.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace registry {
namespace {

constexpr std::size_t most_token_bytes = 1 << 20;

std::string basic(const Credential& credential) {
  return "Basic " + hash::encode_base64(credential.username + ":" + credential.password);
}

// A token goes into a header field as it is, so a line break in it would forge further fields.
std::string bearer(const std::string& token, const std::string& service) {
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (token.empty() || !std::all_of(token.begin(), token.end(), is_visible)) {
    throw EndpointFailure("the token service " + service + " sent no usable token");
  }
  return "Bearer " + token;
}

std::string parse_token(const std::string& json, const std::string& service) {
  return bearer(util::with_context("the token service " + service,
                                   [&] {
                                     const auto document = util::with_names(
                                         util::parse_json(json, "the answer"), {"token", "access_token"});
                                     const util::JsonFields fields(document, "the answer");
                                     const auto token = fields.optional_string("access_token");
                                     return token ? *token : fields.optional_string("token").value_or("");
                                   }),
                service);
}

std::optional<http::Challenge> find_challenge(const http::Response& refusal, std::string_view scheme) {
  for (const auto& field : refusal.headers.find_all("WWW-Authenticate")) {
    for (auto& challenge : http::parse_challenges(field)) {
      if (challenge.scheme == scheme) return std::move(challenge);
    }
  }
  return std::nullopt;
}

// What the registry says it wants and what we want, each action on each resource once.
std::vector<std::string> merge_scopes(const std::string& own, const std::string& wanted) {
  std::map<std::string, std::set<std::string>> actions;
  for (const auto& scope : util::split(own + " " + wanted, ' ')) {
    if (scope.empty()) continue;
    const auto end = scope.find(':', std::min(scope.find(':'), scope.size() - 1) + 1);
    auto& known = actions[scope.substr(0, end)];
    if (end == std::string::npos) continue;
    for (const auto& action : util::split(std::string_view(scope).substr(end + 1), ','))
      known.insert(action);
  }
  std::vector<std::string> scopes;
  for (const auto& [resource, wished] : actions)
    scopes.push_back(resource + ":" + util::join({wished.begin(), wished.end()}, ","));
  return scopes;
}

// Some services know one of two ways to ask for a token alone, and say in one of these words that it is the
// other.
bool knows_another_way(int status) {
  return status == 400 || status == 401 || status == 403 || status == 404 || status == 405 || status == 501;
}

std::string parameter(const http::Challenge& challenge, const std::string& name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? "" : found->second;
}

}  // namespace

Authorizer::Authorizer(http::Client& client, const Settings& settings)
    : client_(client), settings_(settings), credentials_(settings.docker_config) {}

Authorizer::Entry& Authorizer::entry_of(const Endpoint& endpoint, const std::string& scope) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[{endpoint.base.str(), scope}];
  if (!entry) entry = std::make_unique<Entry>();
  return *entry;
}

std::string Authorizer::known(const Endpoint& endpoint, const std::string& scope) {
  auto& entry = entry_of(endpoint, scope);
  const std::lock_guard lock(entry.mutex);
  return entry.authorization;
}

std::string Authorizer::answer(const Endpoint& endpoint, const std::string& scope, const std::string& used,
                               const http::Response& refusal, const sys::Cancellation& cancel) {
  auto& entry = entry_of(endpoint, scope);
  const std::lock_guard lock(entry.mutex);
  // Someone else was refused as well, and has an answer already.
  if (entry.authorization != used) return entry.authorization;
  try {
    entry.authorization = make(endpoint, scope, refusal, cancel);
  } catch (const http::Failure& failure) {
    throw EndpointFailure(failure.what());
  }
  return entry.authorization;
}

std::string Authorizer::make(const Endpoint& endpoint, const std::string& scope,
                             const http::Response& refusal, const sys::Cancellation& cancel) {
  const auto credential = credentials_.find(endpoint.host);
  if (const auto challenge = find_challenge(refusal, "bearer")) {
    if (credential && !credential->registry_token.empty()) return bearer(credential->registry_token, "");
    return fetch_token(endpoint, scope, *challenge, credential, cancel);
  }
  if (!find_challenge(refusal, "basic")) {
    throw EndpointFailure(endpoint.host + " answered 401, and asks for a login in no way that is known here");
  }
  if (!credential || credential->password.empty()) {
    throw EndpointFailure(endpoint.host + " asks for a user and password; give them by DOCKER_CONFIG");
  }
  return basic(*credential);
}

http::Tls Authorizer::tls_for(const Endpoint& endpoint, const http::Url& realm) const {
  if (realm.same_origin(endpoint.base)) return endpoint.tls;
  const bool own_port = realm.port() == (realm.scheme() == "https" ? "443" : "80");
  const auto name = realm.host() + (own_port ? "" : ":" + realm.port());
  if (settings_.hosts.contains(name)) return endpoints_of(settings_, name).back().tls;
  // A registry of a private authority mostly has a token service of the same; but its key pair is not theirs.
  auto tls = endpoint.tls;
  tls.key_pair.reset();
  return tls;
}

std::string Authorizer::fetch_token(const Endpoint& endpoint, const std::string& scope,
                                    const http::Challenge& challenge,
                                    const std::optional<Credential>& credential,
                                    const sys::Cancellation& cancel) {
  const auto realm = [&] {
    try {
      return http::Url::parse(parameter(challenge, "realm"));
    } catch (const util::Error& error) {
      throw EndpointFailure(endpoint.host + " names a token service that cannot be: " + error.what());
    }
  }();
  if (endpoint.base.scheme() == "https" && realm.scheme() == "http" && endpoint.tls.verify) {
    throw EndpointFailure(endpoint.host + " names the token service " + realm.display() +
                          ", which is not encrypted");
  }
  const auto service = parameter(challenge, "service");
  const auto scopes = merge_scopes(scope, parameter(challenge, "scope"));
  const http::Request common{.url = realm,
                             .headers = {{"Accept", "application/json"}},
                             .content = http::Content::fixed,
                             .tls = tls_for(endpoint, realm),
                             .retry = settings_.retry,
                             .cancel = cancel};
  const auto by_get = [&] {
    auto request = common;
    if (!service.empty()) request.url = request.url.with_parameter("service", service);
    for (const auto& one : scopes)
      request.url = request.url.with_parameter("scope", one);
    if (credential && !credential->identity_token.empty()) {
      request.authorization = basic({.username = "", .password = credential->identity_token});
    } else if (credential) {
      request.authorization = basic(*credential);
    }
    return client_.fetch_text(request, most_token_bytes);
  };
  const auto by_post = [&] {
    auto request = common;
    request.method = http::Method::post;
    request.form = "client_id=oci-build&service=" + http::percent_encode(service) +
                   "&scope=" + http::percent_encode(util::join(scopes, " "));
    if (!credential->identity_token.empty()) {
      request.form +=
          "&grant_type=refresh_token&refresh_token=" + http::percent_encode(credential->identity_token);
    } else {
      request.form += "&grant_type=password&username=" + http::percent_encode(credential->username) +
                      "&password=" + http::percent_encode(credential->password);
    }
    return client_.fetch_text(request, most_token_bytes);
  };
  const bool post_first = credential && !credential->identity_token.empty();
  auto answer = post_first ? by_post() : by_get();
  if (credential && knows_another_way(answer.response.status)) {
    auto other = post_first ? by_get() : by_post();
    // Whoever knows the way says best what is wrong.
    const bool is_unknown = answer.response.status != 401 && answer.response.status != 403;
    if (other.response.success() || is_unknown) answer = std::move(other);
  }
  const auto& [response, body] = answer;
  if (response.status == 401 || response.status == 403) {
    throw EndpointFailure("the token service " + realm.display() +
                          (credential
                               ? " refuses the login for " + endpoint.host + " in DOCKER_CONFIG"
                               : " asks for a login; give one for " + endpoint.host + " by DOCKER_CONFIG"));
  }
  if (!response.success()) {
    throw EndpointFailure("the token service " + realm.display() + " answered " +
                          std::to_string(response.status));
  }
  try {
    return parse_token(body, realm.display());
  } catch (const EndpointFailure&) {
    throw;
  } catch (const util::Error& error) {
    throw EndpointFailure(error.what());
  }
}

}  // namespace registry
