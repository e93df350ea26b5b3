// Bundles of CA certificates.
#include "common/http/trust.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "common/http/curl.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace http {

std::optional<std::filesystem::path> system_ca_file() {
  if (const char* chosen = std::getenv("SSL_CERT_FILE"); chosen != nullptr && *chosen != '\0') return chosen;
  const std::array<const char*, 5> places = {
      curl().version_info(CURLVERSION_NOW)->cainfo,
      "/etc/ssl/certs/ca-certificates.crt",
      "/etc/pki/tls/certs/ca-bundle.crt",
      "/etc/ssl/ca-bundle.pem",
      "/etc/ssl/cert.pem",
  };
  for (const char* place : places) {
    if (place != nullptr && ::access(place, R_OK) == 0) return place;
  }
  return std::nullopt;
}

std::string trusted_certificates(std::span<const std::filesystem::path> files) {
  std::string bundle;
  if (const auto system = system_ca_file()) bundle = sys::read_file(*system) + "\n";
  for (const auto& file : files) {
    const auto certificates = sys::read_file(file);
    if (certificates.find("CERTIFICATE-----") == std::string::npos) {
      throw util::Error("CA file " + util::quote(file.string()) + " holds no certificate in PEM form");
    }
    bundle += certificates + "\n";
  }
  return bundle;
}

}  // namespace http
