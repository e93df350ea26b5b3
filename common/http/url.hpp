// Absolute http and https URLs.
#pragma once

#include <string>
#include <string_view>

namespace http {

// An absolute URL of scheme http or https with a host, always well-formed.
class Url {
public:
  // Throws util::Error quoting `text` for anything else. A blank inside is an error, not repaired.
  static Url parse(std::string_view text);

  // What a Location header means here: an absolute URL, or one relative to this. Throws like parse().
  Url resolve(std::string_view location) const;

  // The same URL with one more query parameter; the value is percent-encoded.
  Url with_parameter(std::string_view name, std::string_view value) const;

  const std::string& str() const noexcept { return text_; }
  const std::string& scheme() const noexcept { return scheme_; }
  const std::string& host() const noexcept { return host_; }  // lower case; IPv6 in brackets
  const std::string& port() const noexcept { return port_; }  // also where it is the scheme's own

  // For messages: without user, password, query and fragment, which may be secrets; escaped.
  std::string display() const;

  // Scheme, host and port are the same, so that what is a secret to one is none to the other.
  bool same_origin(const Url& other) const;
  // "localhost", 127.0.0.0/8 or ::1.
  bool is_loopback() const;

private:
  Url() = default;

  std::string text_;
  std::string scheme_;
  std::string host_;
  std::string port_;
  std::string path_;
};

// `text` with every byte outside of RFC 3986's unreserved set as %XX.
std::string percent_encode(std::string_view text);

}  // namespace http
