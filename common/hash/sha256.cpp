// SHA-256 by OpenSSL, which uses the processor's SHA instructions.
#include "common/hash/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <cassert>

#include "common/util/error.hpp"

namespace hash {

struct Sha256::Context {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> md{::EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (!context_->md || ::EVP_DigestInit_ex(context_->md.get(), ::EVP_sha256(), nullptr) != 1) {
    throw util::Error("OpenSSL cannot make a SHA-256 context");
  }
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> data) {
  if (::EVP_DigestUpdate(context_->md.get(), data.data(), data.size()) != 1)
    throw util::Error("SHA-256 failed");
}

Digest Sha256::finish() {
  std::array<unsigned char, 32> raw;
  unsigned size = 0;
  if (::EVP_DigestFinal_ex(context_->md.get(), raw.data(), &size) != 1) throw util::Error("SHA-256 failed");
  assert(size == raw.size());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : raw) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return Digest::from_hex(hex);
}

Digest sha256(std::string_view data) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(data)));
  return sha.finish();
}

}  // namespace hash
