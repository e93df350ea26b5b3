// Addresses. A URL may hold a password, so what stands in front of an '@' is never shown.
#include "tools/oci-params/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

std::string quote_address(std::string_view address) {
  const auto at = address.rfind('@');
  return util::quote(at == std::string_view::npos ? std::string(address)
                                                  : "..." + std::string(address.substr(at)));
}

bool is_ip(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

document::AddHost parse_add_host(const std::string& entry) {
  const std::string parameter = "BUILDKIT_ADD_HOSTS";
  const auto pair = split_pair(entry);
  if (!pair) throw util::Error(parameter + ": " + util::quote(entry) + " is not of the form host=address");
  auto ip = pair->second;
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  if (!is_ip(ip)) {
    throw util::Error(parameter + ": " + util::quote(pair->second) +
                      " is no IP address; use one such as '10.0.0.7'");
  }
  if (pair->first.find_first_of(" \t\"/") != std::string::npos) {
    throw util::Error(parameter + ": " + util::quote(pair->first) + " is no host name");
  }
  return {pair->first, ip};
}

std::string parse_mirror(std::string mirror) {
  const std::string parameter = "REGISTRY_MIRRORS";
  if (mirror.find('@') != std::string::npos) {
    throw util::Error(parameter + ": " + quote_address(mirror) +
                      " holds a login; put it into the config.json of DOCKER_CONFIG");
  }
  if (mirror.starts_with("http://")) {
    const auto host = util::escape(mirror.substr(7));
    throw util::Error(parameter + ": " + util::quote(mirror) + " is a URL; name '" + host +
                      "', and allow plain HTTP for it with BUILDKIT_EXTRA_CONFIG: [registry.\"" + host +
                      "\"] http = true");
  }
  if (mirror.starts_with("https://")) mirror.erase(0, 8);
  while (mirror.ends_with('/'))
    mirror.pop_back();
  if (mirror.empty() || mirror.front() == '/' || mirror.find_first_of(" \t\"=") != std::string::npos ||
      mirror.find("://") != std::string::npos) {
    throw util::Error(parameter + ": " + util::quote(mirror) +
                      " is no registry; name it as HOST[:PORT][/PATH]");
  }
  return mirror;
}

// What buildctl v0.34 has connection helpers for, next to plain sockets.
const std::vector<std::string>& known_schemes() {
  static const std::vector<std::string> schemes = {
      "unix", "tcp", "docker-container", "podman-container", "kube-pod", "nerdctl-container", "ssh", "npipe"};
  return schemes;
}

void check_host(const std::string& host) {
  const std::string parameter = "BUILDKIT_HOST";
  const auto end = host.find("://");
  if (end == std::string::npos) {
    throw util::Error(parameter + ": " + quote_address(host) +
                      " has no scheme; write it as tcp://HOST:PORT, " +
                      "unix:///PATH, or with another scheme that buildctl knows");
  }
  const auto scheme = host.substr(0, end);
  const auto rest = host.substr(end + 3);
  const auto& schemes = known_schemes();
  if (std::find(schemes.begin(), schemes.end(), scheme) == schemes.end()) {
    throw util::Error(parameter + ": the scheme " + util::quote(scheme) + " is none of " +
                      util::join(schemes, ", ") + util::did_you_mean(scheme, schemes));
  }
  if (rest.empty()) throw util::Error(parameter + ": nothing follows " + util::quote(host));
  if (scheme == "unix") require_existing(parameter, rest);
  if (scheme == "tcp") {
    const auto colon = rest.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt : util::parse_uint(rest.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) {
      throw util::Error(parameter + ": " + quote_address(host) + " has no port; write it as tcp://HOST:PORT");
    }
  }
}

std::optional<std::filesystem::path> read_certificate(const Environment& environment,
                                                      const std::string& parameter) {
  const auto path = environment.value(parameter);
  if (!path) return std::nullopt;
  require_file(parameter, *path);
  return std::filesystem::path(*path);
}

}  // namespace

std::vector<document::AddHost> read_add_hosts(const Environment& environment, Findings& findings) {
  std::vector<document::AddHost> hosts;
  findings.check([&] {
    for (const auto& entry : split_list(environment.value("BUILDKIT_ADD_HOSTS").value_or(""), ",\n")) {
      findings.check([&] { hosts.push_back(parse_add_host(entry)); });
    }
  });
  return hosts;
}

std::vector<std::string> read_registry_mirrors(const Environment& environment, Findings& findings) {
  std::vector<std::string> mirrors;
  findings.check([&] {
    for (const auto& entry : split_list(environment.value("REGISTRY_MIRRORS").value_or(""), ",\n")) {
      findings.check([&] { mirrors.push_back(parse_mirror(entry)); });
    }
  });
  return mirrors;
}

std::vector<document::Entitlement> read_entitlements(const Environment& environment, Findings& findings) {
  std::vector<document::Entitlement> entitlements;
  findings.check([&] {
    for (const auto& word : split_list(environment.value("ENTITLEMENTS").value_or(""), ", \n")) {
      const auto entitlement = document::parse_entitlement(word);
      if (!entitlement) {
        throw util::Error("ENTITLEMENTS: " + util::quote(word) +
                          " is none; there are network.host and security.insecure");
      }
      entitlements.push_back(*entitlement);
    }
  });
  return entitlements;
}

std::vector<std::string> read_proxies(const Environment& environment) {
  std::vector<std::string> proxies;
  for (const std::string name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ftp_proxy",
                                 "FTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"}) {
    if (environment.is_set(name)) proxies.push_back(name);
  }
  return proxies;
}

std::optional<document::RemoteEngine> read_remote(const Environment& environment, Findings& findings) {
  document::RemoteEngine remote;
  findings.check([&] { remote.ca_cert = read_certificate(environment, "BUILDKIT_TLS_CACERT"); });
  findings.check([&] { remote.cert = read_certificate(environment, "BUILDKIT_TLS_CERT"); });
  findings.check([&] { remote.key = read_certificate(environment, "BUILDKIT_TLS_KEY"); });
  findings.check([&] {
    const bool cert = environment.is_set("BUILDKIT_TLS_CERT");
    const bool key = environment.is_set("BUILDKIT_TLS_KEY");
    if (cert && !key)
      throw util::Error("BUILDKIT_TLS_CERT needs BUILDKIT_TLS_KEY, its private key; set it too");
    if (key && !cert)
      throw util::Error("BUILDKIT_TLS_KEY needs BUILDKIT_TLS_CERT, its certificate; set it too");
  });
  std::optional<std::string> host;
  findings.check([&] {
    host = environment.value("BUILDKIT_HOST");
    if (host) check_host(*host);
  });
  if (!host) {
    for (const char* parameter : {"BUILDKIT_TLS_CACERT", "BUILDKIT_TLS_CERT", "BUILDKIT_TLS_KEY"}) {
      findings.check([&] {
        if (environment.is_set(parameter)) {
          throw util::Error(std::string(parameter) + " needs BUILDKIT_HOST, the engine to reach; set it too");
        }
      });
    }
    return std::nullopt;
  }
  for (const char* parameter : {"REGISTRY_MIRRORS", "BUILDKIT_EXTRA_CONFIG"}) {
    if (environment.is_set(parameter)) {
      findings.warn(std::string(parameter) +
                    " has no effect: the engine of BUILDKIT_HOST has its own configuration");
    }
  }
  remote.host = *host;
  return remote;
}

}  // namespace params
