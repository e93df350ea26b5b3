// The certificate authorities that an https server may be vouched for by. Private to this library.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace http {

// The system's bundle of CA certificates: SSL_CERT_FILE if set, else where libcurl or a distribution has it.
std::optional<std::filesystem::path> system_ca_file();

// The system's bundle and `files` as one PEM text. Throws util::Error naming a file that cannot be read or
// holds no certificate.
std::string trusted_certificates(std::span<const std::filesystem::path> files);

}  // namespace http
