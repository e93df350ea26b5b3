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

class Hasher::Context {
public:
  explicit Context(Algorithm algorithm) : function_(function(algorithm)) {}

  void update(std::span<const std::byte> data) {
    std::visit([&](auto& function) { function.update(data); }, function_);
  }

  // Returns how many bytes of `digest` are the digest.
  std::size_t finish(std::uint8_t* digest) {
    return std::visit([&](auto& function) { return function.finish(digest); }, function_);
  }

private:
  struct Short {
    SHA256_CTX context;

    Short() { ::SHA256_Init(&context); }
    void update(std::span<const std::byte> data) { ::SHA256_Update(&context, data.data(), data.size()); }
    std::size_t finish(std::uint8_t* digest) {
      ::SHA256_Final(digest, &context);
      return SHA256_DIGEST_LENGTH;
    }
  };

  // SHA-384 is SHA-512 with other initial values, cut short.
  struct Long {
    SHA512_CTX context;
    std::size_t size;

    explicit Long(std::size_t digest_size) : size(digest_size) {
      size == SHA384_DIGEST_LENGTH ? ::SHA384_Init(&context) : ::SHA512_Init(&context);
    }
    void update(std::span<const std::byte> data) { ::SHA512_Update(&context, data.data(), data.size()); }
    std::size_t finish(std::uint8_t* digest) {
      ::SHA512_Final(digest, &context);
      return size;
    }
  };

  static std::variant<Short, Long> function(Algorithm algorithm) {
    if (algorithm == Algorithm::sha256) return Short();
    return Long(algorithm == Algorithm::sha384 ? SHA384_DIGEST_LENGTH : SHA512_DIGEST_LENGTH);
  }

  std::variant<Short, Long> function_;
};

Hasher::Hasher(Algorithm algorithm) : context_(std::make_unique<Context>(algorithm)) {}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> data) {
  context_->update(data);
}

std::size_t Hasher::finish(std::span<std::uint8_t, most_bytes> digest) {
  return context_->finish(digest.data());
}

std::string Hasher::finish() {
  std::array<std::uint8_t, most_bytes> raw;
  const auto size = finish(raw);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const auto byte : std::span(raw).first(size)) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

}  // namespace hash
