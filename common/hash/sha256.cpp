// SHA-256 as digests.
#include "common/hash/sha256.hpp"

#include <array>
#include <cstdint>

namespace hash {

void Sha256::update(std::span<const std::byte> data) {
  hasher_.update(data);
}

Digest Sha256::finish() {
  std::array<std::uint8_t, most_bytes> raw;
  hasher_.finish(raw);
  return Digest::from_bytes(std::span(raw).first<32>());
}

Digest sha256(std::string_view data) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(data)));
  return sha.finish();
}

}  // namespace hash
