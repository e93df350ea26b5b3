// SHA-256 as digests.
#include "common/hash/sha256.hpp"

namespace hash {

void Sha256::update(std::span<const std::byte> data) {
  hasher_.update(data);
}

Digest Sha256::finish() {
  return Digest::from_hex(hasher_.finish());
}

Digest sha256(std::string_view data) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(data)));
  return sha.finish();
}

}  // namespace hash
