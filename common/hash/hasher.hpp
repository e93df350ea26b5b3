// The hash algorithms that digests are made of (OCI image-spec, descriptor.md, "Registered Algorithms").
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace hash {

enum class Algorithm { sha256, sha384, sha512 };

constexpr std::size_t most_bytes = 64;  // of a digest of any of them

// Over a stream of bytes: feed it with update(), then take the result once with finish().
class Hasher {
public:
  explicit Hasher(Algorithm algorithm);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> data);
  // Lower-case hex, of everything fed so far. At most one of the two, once.
  std::string finish();
  // The same as bytes, of which it gives the number.
  std::size_t finish(std::span<std::uint8_t, most_bytes> digest);

private:
  class Context;
  std::unique_ptr<Context> context_;
};

}  // namespace hash
