// Content digests as OCI images write them: "sha256:" and 64 lower-case hex digits.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace hash {

// A SHA-256 digest, always well-formed (OCI image-spec, descriptor.md, "Digests"). Other registered
// algorithms are refused: nothing in the field uses them for images.
class Digest {
public:
  // Throws util::Error unless `text` is exactly "sha256:" and 64 lower-case hex digits.
  static Digest parse(std::string_view text);
  // From the 64 hex digits alone.
  static Digest from_hex(std::string_view hex);

  const std::string& str() const noexcept { return text_; }  // "sha256:..."
  std::string_view hex() const noexcept { return std::string_view(text_).substr(7); }

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;

private:
  explicit Digest(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace hash
