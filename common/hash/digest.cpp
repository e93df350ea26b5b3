// Parsing of digests.
#include "common/hash/digest.hpp"

#include <algorithm>
#include <cstddef>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace hash {
namespace {

constexpr std::string_view prefix = "sha256:";
constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

Digest Digest::parse(std::string_view text) {
  if (!text.starts_with(prefix)) {
    throw util::Error("invalid digest " + util::quote(text) + ": expected 'sha256:' and 64 hex digits");
  }
  return from_hex(text.substr(prefix.size()));
}

Digest Digest::from_hex(std::string_view hex) {
  Digest digest;
  bool is_hex = hex.size() == 2 * digest.bytes_.size();
  for (std::size_t i = 0; is_hex && i < digest.bytes_.size(); ++i) {
    const auto high = hex_digits.find(hex[2 * i]);
    const auto low = hex_digits.find(hex[2 * i + 1]);
    is_hex = high != std::string_view::npos && low != std::string_view::npos;
    digest.bytes_[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (!is_hex) {
    throw util::Error("invalid digest 'sha256:" + util::escape(hex) + "': expected 64 lower-case hex digits");
  }
  return digest;
}

Digest Digest::from_bytes(std::span<const std::uint8_t, 32> bytes) {
  Digest digest;
  std::copy(bytes.begin(), bytes.end(), digest.bytes_.begin());
  return digest;
}

std::string Digest::hex() const {
  std::string text(2 * bytes_.size(), '\0');
  auto* next = text.data();
  for (const auto byte : bytes_) {
    *next++ = hex_digits[byte >> 4];
    *next++ = hex_digits[byte & 0xf];
  }
  return text;
}

std::string Digest::str() const {
  return std::string(prefix) + hex();
}

}  // namespace hash
