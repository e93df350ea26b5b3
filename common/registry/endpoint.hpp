// Where the images of a domain can be fetched.
#pragma once

#include <string>
#include <vector>

#include "common/http/client.hpp"
#include "common/http/url.hpp"
#include "common/registry/settings.hpp"

namespace registry {

// One server that speaks the distribution protocol.
struct Endpoint {
  http::Url base;          // "https://registry-1.docker.io/v2/"
  std::string host;        // "registry-1.docker.io", "127.0.0.1:5000": what credentials are kept under
  std::string stands_for;  // of a mirror: the domain it mirrors, else empty
  http::Tls tls;
};

// Those of `domain` in the order in which they are asked: its mirrors, then itself. One that may be spoken to
// in both ways is there twice, https first. Throws util::Error naming the setting that is wrong.
std::vector<Endpoint> endpoints_of(const Settings& settings, const std::string& domain);

}  // namespace registry
