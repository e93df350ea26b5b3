// The grammar of github.com/distribution/reference (reference.go, regexp.go, normalize.go).
#include "common/image/reference.hpp"

#include <algorithm>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

constexpr std::string_view default_domain = "docker.io";
constexpr std::string_view legacy_default_domain = "index.docker.io";
constexpr std::string_view official_prefix = "library/";
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_tag = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool has_upper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Letters, digits and inner hyphens.
bool is_domain_component(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

bool is_domain(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {  // an IPv6 address without a zone
    const auto close = text.find(']');
    if (close == std::string_view::npos || close == 1) return false;
    const auto address = text.substr(1, close - 1);
    if (!std::all_of(address.begin(), address.end(), [](char c) { return is_hex(c) || c == ':'; }))
      return false;
    port = text.substr(close + 1);
    host = {};
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!port.empty() &&
      (port.size() < 2 || port.front() != ':' || !std::all_of(port.begin() + 1, port.end(), is_digit)))
    return false;
  if (text.starts_with('[')) return true;
  const auto components = util::split(host, '.');
  return std::all_of(components.begin(), components.end(), is_domain_component);
}

// Lower-case letters and digits, separated by one dot, one or two underscores or any number of hyphens.
bool is_path_component(std::string_view text) {
  if (text.empty()) return false;
  std::size_t i = 0;
  for (;;) {
    const auto word = i;
    while (i < text.size() && (is_lower(text[i]) || is_digit(text[i])))
      ++i;
    if (i == word) return false;
    if (i == text.size()) return true;
    const char separator = text[i];
    const auto start = i;
    while (i < text.size() && text[i] == separator)
      ++i;
    const auto length = i - start;
    const bool good =
        separator == '-' || (separator == '.' && length == 1) || (separator == '_' && length <= 2);
    if (!good) return false;
  }
}

bool is_path(std::string_view text) {
  const auto components = util::split(text, '/');
  return std::all_of(components.begin(), components.end(), is_path_component);
}

bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !text.empty() && text.size() <= longest_tag && word(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return word(c) || c == '.' || c == '-'; });
}

// "ALGORITHM:HEX" with at least 32 digits; the algorithm's parts start with a letter.
bool is_digest(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const auto hex = text.substr(colon + 1);
  if (hex.size() < 32 || !std::all_of(hex.begin(), hex.end(), is_hex)) return false;
  bool start = true;
  for (const char c : text.substr(0, colon)) {
    const bool separator = c == '-' || c == '_' || c == '+' || c == '.';
    if (start ? !is_letter(c) : !(is_letter(c) || is_digit(c) || separator)) return false;
    start = separator;
  }
  return !start;
}

// 64 hex digits alone would be an image id.
bool is_identifier(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

// What stands before the first slash is a registry only if it cannot be a path: it has a dot, a port or a
// capital, or is localhost.
bool names_registry(std::string_view text) {
  return text.find_first_of(".:") != std::string_view::npos || text == "localhost" || has_upper(text);
}

}  // namespace

std::optional<Reference> Reference::parse(std::string_view text) {
  if (is_identifier(text)) return std::nullopt;
  Reference reference;
  auto rest = text;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && names_registry(text.substr(0, slash))) {
    reference.domain = text.substr(0, slash);
    rest = text.substr(slash + 1);
    if (!is_domain(reference.domain)) return std::nullopt;
  }
  if (reference.domain.empty() || reference.domain == legacy_default_domain)
    reference.domain = default_domain;

  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_digest(reference.digest)) return std::nullopt;
  }
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(reference.tag)) return std::nullopt;
  }
  reference.path = rest;
  if (!is_path(reference.path)) return std::nullopt;
  if (reference.domain == default_domain && reference.path.find('/') == std::string::npos) {
    reference.path.insert(0, official_prefix);
  }
  if (reference.domain.size() + 1 + reference.path.size() > longest_name) return std::nullopt;
  return reference;
}

std::string Reference::full() const {
  return domain + "/" + path + (tag.empty() ? "" : ":" + tag) + (digest.empty() ? "" : "@" + digest);
}

std::string Reference::familiar() const {
  auto text = full();
  if (domain != default_domain) return text;
  text.erase(0, default_domain.size() + 1);
  const bool official =
      path.starts_with(official_prefix) && path.find('/', official_prefix.size()) == std::string::npos;
  if (official) text.erase(0, official_prefix.size());
  return text;
}

std::string Reference::context_name() const {
  auto reference = *this;
  if (tag == "latest" && digest.empty()) reference.tag.clear();
  return reference.familiar();
}

std::string context_name(std::string_view text) {
  if (const auto reference = Reference::parse(text)) return reference->context_name();
  throw util::Error(util::quote(text) +
                    " cannot be the name of an image or stage; use lower case, digits, and . _ - /");
}

Reference parse_repo_tag(std::string_view text) {
  auto reference = Reference::parse(text);
  if (!reference) {
    throw util::Error(
        util::quote(text) +
        " cannot be the name of an image; write it as 'registry.example.com/name:tag', in lower case "
        "but for the tag");
  }
  if (!reference->digest.empty())
    throw util::Error(util::quote(text) + " holds a digest, which comes of what is built; name a tag");
  if (reference->tag.empty()) reference->tag = "latest";
  return *reference;
}

}  // namespace image
