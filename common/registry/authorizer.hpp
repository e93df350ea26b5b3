// Answers to the challenges of registries: basic logins, and bearer tokens from token services
// (distribution's spec/auth/token and spec/auth/oauth).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "common/registry/credentials.hpp"
#include "common/registry/endpoint.hpp"
#include "common/sys/cancellation.hpp"
#include "common/util/error.hpp"

namespace registry {

// One endpoint cannot give what was asked for; another one may.
class EndpointFailure : public util::Error {
public:
  using util::Error::Error;
};

// Keeps one answer for each endpoint and scope. Thread-safe: of many that need a new token, one fetches it.
class Authorizer {
public:
  Authorizer(http::Client& client, const Settings& settings);

  // The Authorization field that last worked out for `scope`, empty if none was asked for yet.
  std::string known(const Endpoint& endpoint, const std::string& scope);

  // A new one after `refusal`, a 401 to a request that carried `used`. Throws EndpointFailure when there is
  // nothing to answer with or the token service refuses; util::Error when a credential helper fails, and as
  // sys::Cancellation::check does.
  std::string answer(const Endpoint& endpoint, const std::string& scope, const std::string& used,
                     const http::Response& refusal, const sys::Cancellation& cancel);

private:
  struct Entry {
    std::mutex mutex;
    std::string authorization;
  };
  Entry& entry_of(const Endpoint& endpoint, const std::string& scope);
  std::string make(const Endpoint& endpoint, const std::string& scope, const http::Response& refusal,
                   const sys::Cancellation& cancel);
  std::string fetch_token(const Endpoint& endpoint, const std::string& scope,
                          const http::Challenge& challenge, const std::optional<Credential>& credential,
                          const sys::Cancellation& cancel);
  http::Tls tls_for(const Endpoint& endpoint, const http::Url& realm) const;

  http::Client& client_;
  const Settings& settings_;
  Credentials credentials_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Entry>> entries_;
};

}  // namespace registry
