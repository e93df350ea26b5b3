// Requests of the distribution protocol, to one endpoint after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/http/client.hpp"
#include "common/registry/authorizer.hpp"
#include "common/registry/endpoint.hpp"
#include "common/registry/settings.hpp"
#include "common/sys/cancellation.hpp"

namespace registry {

// What we may do in a repository, which a login has to allow.
enum class Right { pull, push };

// What is asked of a repository.
struct Ask {
  http::Method method = http::Method::get;
  std::string path = {};    // below the repository: "manifests/latest", "blobs/sha256:..."
  std::string accept = {};  // media types
  http::Content content = http::Content::may_change;
  http::Extent extent = http::Extent::document;
  std::set<int> answers = {};  // statuses beside 2xx that are an answer too
  Right right = Right::pull;
  std::string pull_from = {};         // another repository that is read for it, if any
  std::optional<http::Url> url = {};  // instead of `path`: where the endpoint said to go on
  std::string type = {};              // of `upload`
  std::optional<http::Upload> upload = {};
  std::function<void(http::Request& request)> before_retry = {};  // as http::Request has it
};

// Told what a pull or push suffers from while it goes on: retries, and endpoints that are given up. From any
// thread.
using Tell = std::function<void(const std::string& message)>;

// Thread-safe.
class Client {
public:
  // Throws util::Error if config.json cannot be read.
  explicit Client(Settings settings, Tell tell = {});

  // Hands the endpoints of `domain` to `use`, one after the other, until one call returns; mirrors are asked
  // for what is pulled alone, as what is pushed to one need not reach the registry. Endpoints that
  // could not be reached before are left out while there are others. `use` throws EndpointFailure to go on to
  // the next, of which people are told that it is about `name`; when all have failed, throws util::Error with
  // every endpoint's reason, which does not say `name`.
  void try_endpoints(const std::string& domain, const std::string& name, Right right,
                     const std::function<void(const Endpoint& endpoint, bool is_last)>& use);

  // One request to one endpoint, logged in where it wants that. `body` gets what http::Body gets, from byte
  // number `offset` on. Throws EndpointFailure unless it ends with a status of 2xx or one of `ask.answers`.
  http::Response ask(const Endpoint& endpoint, bool is_last, const std::string& repository, const Ask& ask,
                     std::uint64_t offset, const sys::Cancellation& cancel, const http::Body& body);

private:
  bool is_unreachable(const Endpoint& endpoint);
  http::Response fetch(const Endpoint& endpoint, const http::Request& request, const http::Body& body);

  Settings settings_;
  Tell tell_;
  http::Client http_;
  Authorizer authorizer_;
  std::mutex mutex_;
  std::set<std::string> unreachable_;  // by base URL
};

}  // namespace registry
