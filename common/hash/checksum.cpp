// Parsing of checksums, with the rules of Go's package go-digest.
#include "common/hash/checksum.hpp"

#include <algorithm>
#include <array>

#include "common/util/error.hpp"

namespace hash {
namespace {

struct Known {
  std::string_view name;
  Algorithm algorithm;
  std::size_t hex_digits;
};

constexpr std::array<Known, 3> known_algorithms = {{
    {"sha256", Algorithm::sha256, 64},
    {"sha384", Algorithm::sha384, 96},
    {"sha512", Algorithm::sha512, 128},
}};

bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_separator(char c) {
  return c == '.' || c == '+' || c == '_' || c == '-';
}

// Lower-case words with one separator between two, ":", and something of the base64url alphabet.
bool is_digest_of_some_kind(std::string_view algorithm, std::string_view encoded) {
  bool in_word = false;
  for (const char c : algorithm) {
    if (!is_lower_alphanumeric(c) && !(in_word && is_separator(c))) return false;
    in_word = is_lower_alphanumeric(c);
  }
  const auto is_encoded = [](char c) {
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '=' || c == '_' || c == '-';
  };
  return in_word && std::all_of(encoded.begin(), encoded.end(), is_encoded);
}

}  // namespace

Checksum Checksum::parse(std::string_view text) {
  const util::Error malformed("invalid checksum digest format");
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) throw malformed;
  const auto hex = text.substr(colon + 1);
  const auto known = std::find_if(known_algorithms.begin(), known_algorithms.end(),
                                  [&](const Known& entry) { return entry.name == text.substr(0, colon); });
  if (known == known_algorithms.end()) {
    if (is_digest_of_some_kind(text.substr(0, colon), hex)) throw util::Error("unsupported digest algorithm");
    throw malformed;
  }
  if (hex.size() != known->hex_digits) throw util::Error("invalid checksum digest length");
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(hex.begin(), hex.end(), is_hex)) throw malformed;
  return {known->algorithm, std::string(hex)};
}

std::string Checksum::str() const {
  const auto known = std::find_if(known_algorithms.begin(), known_algorithms.end(),
                                  [&](const Known& entry) { return entry.algorithm == algorithm; });
  return std::string(known->name) + ":" + hex;
}

}  // namespace hash
