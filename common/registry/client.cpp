// Endpoints in order, logins and the errors that registries describe.
#include "common/registry/client.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace registry {
namespace {

// While others can be asked instead, patience is better spent there.
constexpr int attempts_before_others = 3;
constexpr std::chrono::seconds longest_wait_before_others{5};

// A service may know of a token before the registry does.
constexpr int most_tokens = 2;

// What {"errors": [{"code": ..., "message": ...}]} says (distribution's spec/api, "Errors"), "" if it is not
// that.
std::string described_by(const std::string& body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("errors") || !document["errors"].is_array()) return "";
  std::vector<std::string> messages;
  for (const auto& error : document["errors"]) {
    if (!error.is_object()) continue;
    for (const auto* field : {"message", "code"}) {
      const auto found = error.find(field);
      if (found == error.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
        continue;
      messages.push_back(util::escape(found->get_ref<const std::string&>(), 200));
      break;
    }
  }
  return util::join(messages, ", ");
}

std::string reason_of(const http::Response& response, const Settings& settings) {
  std::string reason = "answered " + std::to_string(response.status);
  if (response.status == 404) reason += ": not found";
  if (const auto described = described_by(response.error); !described.empty())
    reason += " (" + described + ")";
  switch (response.status) {
    case 401:
    case 403:
      return reason + "; check the name, and the login in DOCKER_CONFIG";
    case 429:
      return reason + "; " + settings.limit_advice;
    default:
      return reason;
  }
}

// A refusal for which no new token is of use (RFC 6750, 3.1).
bool lacks_rights(const http::Response& refusal) {
  for (const auto& field : refusal.headers.find_all("WWW-Authenticate")) {
    for (const auto& challenge : http::parse_challenges(field)) {
      const auto error = challenge.parameters.find("error");
      if (error != challenge.parameters.end() && error->second == "insufficient_scope") return true;
    }
  }
  return false;
}

}  // namespace

Client::Client(Settings settings, Tell tell)
    : settings_(std::move(settings)),
      tell_(std::move(tell)),
      http_(settings_.timeouts),
      authorizer_(http_, settings_) {}

bool Client::is_unreachable(const Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  return unreachable_.contains(endpoint.base.str());
}

void Client::try_endpoints(const std::string& domain, const std::string& name, Right right,
                           const std::function<void(const Endpoint&, bool)>& use) {
  auto endpoints = endpoints_of(settings_, domain);
  if (right == Right::push) std::erase_if(endpoints, [](const auto& one) { return !one.stands_for.empty(); });
  const auto unreachable = [this](const Endpoint& endpoint) { return is_unreachable(endpoint); };
  if (!std::all_of(endpoints.begin(), endpoints.end(), unreachable)) std::erase_if(endpoints, unreachable);
  std::vector<std::string> reasons;
  for (const auto& endpoint : endpoints) {
    try {
      return use(endpoint, &endpoint == &endpoints.back());
    } catch (const EndpointFailure& failure) {
      reasons.emplace_back(failure.what());
      const auto message =
          (right == Right::push ? "cannot push " + name + " to " : "cannot pull " + name + " from ") +
          endpoint.base.display() + ": " + failure.what();
      const bool is_last = &endpoint == &endpoints.back();  // whose reason is in the error
      tell_ && !is_last ? tell_(message + "; trying the next") : util::log::debug(message);
    }
  }
  throw util::Error(util::join(reasons, "; "));
}

http::Response Client::fetch(const Endpoint& endpoint, const http::Request& request, const http::Body& body) {
  try {
    return http_.fetch(request, body);
  } catch (const http::Failure& failure) {
    using Kind = http::Failure::Kind;
    std::string reason = failure.what();
    switch (failure.kind()) {
      case Kind::tls_verify:
        reason += "; " + settings_.trust_advice;
        [[fallthrough]];
      case Kind::resolve:
      case Kind::connect:
      case Kind::tls: {
        const std::lock_guard lock(mutex_);
        unreachable_.insert(endpoint.base.str());
        break;
      }
      default:
        break;
    }
    throw EndpointFailure(reason);
  }
}

http::Response Client::ask(const Endpoint& endpoint, bool is_last, const std::string& repository,
                           const Ask& ask, std::uint64_t offset, const sys::Cancellation& cancel,
                           const http::Body& body) {
  std::string scope = "repository:" + repository + (ask.right == Right::push ? ":pull,push" : ":pull");
  if (!ask.pull_from.empty()) scope += " repository:" + ask.pull_from + ":pull";
  auto url = ask.url ? *ask.url : endpoint.base.resolve(repository + "/" + ask.path);
  // Mirrors of several registries tell them apart by this, as containerd's do.
  if (!endpoint.stands_for.empty()) url = url.with_parameter("ns", endpoint.stands_for);
  http::Request request{.method = ask.method,
                        .url = url,
                        .headers = {},
                        .upload = ask.upload,
                        .before_retry = ask.before_retry,
                        .offset = offset,
                        .content = ask.content,
                        .extent = ask.extent,
                        .tls = endpoint.tls,
                        .retry = settings_.retry,
                        .on_retry = tell_,
                        .cancel = cancel};
  if (!ask.accept.empty()) request.headers.push_back({"Accept", ask.accept});
  if (!is_last) {
    request.retry.attempts = std::min(request.retry.attempts, attempts_before_others);
    request.retry.longest_retry_after =
        std::min(request.retry.longest_retry_after, longest_wait_before_others);
  }
  const http::Body counting_body = [&](std::span<const std::byte> data) {
    body(data);
    request.offset += data.size();
  };
  if (!ask.type.empty()) request.headers.push_back({"Content-Type", ask.type});
  // Where the registry keeps uploads is not always where its logins belong.
  const bool is_home = url.same_origin(endpoint.base);
  if (!is_home) request.tls.key_pair.reset();
  if (is_home) request.authorization = authorizer_.known(endpoint, scope);
  int tokens = 0;  // that were made for the request as it is
  for (std::uint64_t asked_at = offset;;) {
    // A copy, because the offset moves while it is used.
    const http::Request current = request;
    auto response = fetch(endpoint, current, counting_body);
    if (response.success() || ask.answers.contains(response.status)) return response;
    const bool can_go_on = request.offset == offset || ask.content == http::Content::fixed;
    // A token may expire at any time.
    if (std::exchange(asked_at, request.offset) != request.offset) tokens = 0;
    const bool is_final = tokens > 0 && (tokens == most_tokens || lacks_rights(response));
    if (response.status != 401 || is_final || !can_go_on)
      throw EndpointFailure(endpoint.host + " " + reason_of(response, settings_));
    // Whoever the registry redirects to has no right to its login.
    if (!response.url.same_origin(endpoint.base)) {
      throw EndpointFailure(endpoint.host + " redirects to " + response.url.display() +
                            ", which asks for a login that it cannot have; check the name");
    }
    request.authorization = authorizer_.answer(endpoint, scope, current.authorization, response, cancel);
    // A password that was refused is refused for good.
    if (request.authorization == current.authorization && request.authorization.starts_with("Basic "))
      throw EndpointFailure(endpoint.host + " " + reason_of(response, settings_));
    ++tokens;
    if (ask.before_retry) ask.before_retry(request);
  }
}

}  // namespace registry
