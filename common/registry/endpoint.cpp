// From settings to endpoints, as BuildKit reads its own configuration.
#include "common/registry/endpoint.hpp"

#include <algorithm>
#include <filesystem>

#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace registry {
namespace {

namespace fs = std::filesystem;

struct Address {
  std::string scheme;  // empty: by the settings
  std::string host;
  std::string path;  // without slashes at its ends
};

Address parse_mirror(const std::string& mirror) {
  Address address;
  std::string_view rest = mirror;
  if (const auto end = rest.find("://"); end != std::string_view::npos) {
    address.scheme = rest.substr(0, end);
    rest.remove_prefix(end + 3);
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  address.host = rest.substr(0, slash);
  rest.remove_prefix(slash);
  while (rest.starts_with('/'))
    rest.remove_prefix(1);
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  address.path = rest;
  return address;
}

void add_certificates(const fs::path& directory, http::Tls& tls) {
  auto files = sys::readable_entries_of(directory);
  std::sort(files.begin(), files.end());
  for (auto file : files) {
    if (file.extension() == ".crt") tls.ca_files.push_back(file);
    if (file.extension() == ".cert" && !tls.key_pair) {
      const auto certificate = file;
      tls.key_pair = http::KeyPair{certificate, file.replace_extension(".key")};
    }
  }
}

http::Tls tls_of(const HostSettings& settings) {
  http::Tls tls{.ca_files = settings.ca, .verify = !settings.insecure, .key_pair = settings.key_pair};
  for (const auto& directory : settings.certificate_dirs)
    add_certificates(directory, tls);
  return tls;
}

void add_endpoints(const Settings& settings, const std::string& settings_name, const Address& address,
                   const std::string& stands_for, std::vector<Endpoint>& endpoints) {
  const auto found = settings.hosts.find(settings_name);
  const HostSettings host = found == settings.hosts.end() ? HostSettings{} : found->second;
  const auto tail = address.host + "/v2/" + (address.path.empty() ? "" : address.path + "/");
  const auto https = http::Url::parse("https://" + tail);
  const auto add = [&](const http::Url& base) {
    endpoints.push_back({base, address.host, stands_for, tls_of(host)});
  };
  const bool plain =
      address.scheme.empty() ? host.plain_http.value_or(https.is_loopback()) : address.scheme == "http";
  if (!plain || (host.insecure && address.scheme.empty())) add(https);
  if (plain) add(http::Url::parse("http://" + tail));
}

}  // namespace

std::vector<Endpoint> endpoints_of(const Settings& settings, const std::string& domain) {
  std::vector<Endpoint> endpoints;
  if (const auto found = settings.hosts.find(domain); found != settings.hosts.end()) {
    for (const auto& mirror : found->second.mirrors) {
      util::with_context("mirror " + util::quote(mirror) + " of " + util::quote(domain), [&] {
        const auto address = parse_mirror(mirror);
        add_endpoints(settings, address.host, address, domain, endpoints);
      });
    }
  }
  const bool is_hub = domain == "docker.io";
  add_endpoints(settings, domain,
                {.scheme = "", .host = is_hub ? "registry-1.docker.io" : domain, .path = ""}, "", endpoints);
  return endpoints;
}

}  // namespace registry
