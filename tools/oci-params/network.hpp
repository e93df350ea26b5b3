// Where things are reached: hosts, mirrors, proxies, an engine elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// BUILDKIT_ADD_HOSTS: "host=ip,host=ip", IPv6 also in brackets.
std::vector<document::AddHost> read_add_hosts(const Environment& environment, Findings& findings);

// ENTITLEMENTS: "network.host", "security.insecure".
std::vector<document::Entitlement> read_entitlements(const Environment& environment, Findings& findings);

// REGISTRY_MIRRORS: hosts, each with a port and path if need be.
std::vector<std::string> read_registry_mirrors(const Environment& environment, Findings& findings);

// The names of the proxy variables that are set, in either case.
std::vector<std::string> read_proxies(const Environment& environment);

// BUILDKIT_HOST with its certificates; nothing = none. Warns of parameters that configure an engine of our
// own.
std::optional<document::RemoteEngine> read_remote(const Environment& environment, Findings& findings);

}  // namespace params
