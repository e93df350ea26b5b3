// Hashing by OpenSSL, which uses the processor's SHA instructions. By its low-level functions: the EVP ones
// set up every algorithm there is and read the configuration of TLS first, which takes longer than to hash a
// megabyte, in each of the programs of a build.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/hash/hasher.hpp"

#include <openssl/sha.h>

#include <array>
#include <string_view>
#include <variant>

namespace hash {
namespace {

struct Sha256 {
  SHA256_CTX context;

  Sha256() { ::SHA256_Init(&context); }
  void update(std::span<const std::byte> data) { ::SHA256_Update(&context, data.data(), data.size()); }
  std::size_t finish(unsigned char* digest) {
    ::SHA256_Final(digest, &context);
    return SHA256_DIGEST_LENGTH;
  }
};

// SHA-384 is a shorter SHA-512 with other initial values: its other functions are the same.
struct Sha512 {
  SHA512_CTX context;
  std::size_t size;

  explicit Sha512(std::size_t digest_size) : size(digest_size) {
    size == SHA384_DIGEST_LENGTH ? ::SHA384_Init(&context) : ::SHA512_Init(&context);
  }
  void update(std::span<const std::byte> data) { ::SHA512_Update(&context, data.data(), data.size()); }
  std::size_t finish(unsigned char* digest) {
    ::SHA512_Final(digest, &context);
    return size;
  }
};

std::variant<Sha256, Sha512> function(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::sha256:
      return Sha256();
    case Algorithm::sha384:
      return Sha512(SHA384_DIGEST_LENGTH);
    case Algorithm::sha512:
      return Sha512(SHA512_DIGEST_LENGTH);
  }
  return Sha256();
}

}  // namespace

struct Hasher::Context {
  std::variant<Sha256, Sha512> function;
};

Hasher::Hasher(Algorithm algorithm) : context_(std::make_unique<Context>(function(algorithm))) {}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> data) {
  std::visit([&](auto& function) { function.update(data); }, context_->function);
}

std::string Hasher::finish() {
  std::array<unsigned char, SHA512_DIGEST_LENGTH> raw;
  const auto size =
      std::visit([&](auto& function) { return function.finish(raw.data()); }, context_->function);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : std::span(raw).first(size)) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

}  // namespace hash
