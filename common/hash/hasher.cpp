// Hashing by OpenSSL, which uses the processor's SHA instructions.
#include "common/hash/hasher.hpp"

#include <openssl/evp.h>

#include <array>

#include "common/util/error.hpp"

namespace hash {
namespace {

const EVP_MD* function(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::sha256:
      return ::EVP_sha256();
    case Algorithm::sha384:
      return ::EVP_sha384();
    case Algorithm::sha512:
      return ::EVP_sha512();
  }
  return nullptr;
}

}  // namespace

struct Hasher::Context {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> md{::EVP_MD_CTX_new()};
};

Hasher::Hasher(Algorithm algorithm) : context_(std::make_unique<Context>()) {
  if (!context_->md || ::EVP_DigestInit_ex(context_->md.get(), function(algorithm), nullptr) != 1)
    throw util::Error("OpenSSL cannot make a hash context");
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> data) {
  if (::EVP_DigestUpdate(context_->md.get(), data.data(), data.size()) != 1)
    throw util::Error("OpenSSL cannot hash");
}

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
  unsigned size = 0;
  if (::EVP_DigestFinal_ex(context_->md.get(), raw.data(), &size) != 1)
    throw util::Error("OpenSSL cannot hash");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : std::span(raw).first(size)) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

}  // namespace hash
