// Content digests as OCI images write them: "sha256:" and 64 lower-case hex digits.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hash {

// A SHA-256 digest, always well-formed (OCI image-spec, descriptor.md, "Digests"). Other registered
// algorithms are refused: nothing in the field uses them for images. It is held as 32 bytes, so that very
// many of them are small.
class Digest {
public:
  // Throws util::Error unless `text` is exactly "sha256:" and 64 lower-case hex digits.
  static Digest parse(std::string_view text);
  // From the 64 hex digits alone.
  static Digest from_hex(std::string_view hex);
  static Digest from_bytes(std::span<const std::uint8_t, 32> bytes);

  std::string str() const;  // "sha256:..."
  std::string hex() const;
  std::span<const std::uint8_t, 32> bytes() const noexcept { return bytes_; }

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;

private:
  Digest() = default;

  std::array<std::uint8_t, 32> bytes_ = {};
};

}  // namespace hash
