// The hash algorithms that digests are made of (OCI image-spec, descriptor.md, "Registered Algorithms").
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace hash {

enum class Algorithm { sha256, sha384, sha512 };

// Over a stream of bytes: feed it with update(), then take the result once with finish().
class Hasher {
public:
  explicit Hasher(Algorithm algorithm);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> data);
  // Lower-case hex, of everything fed so far. At most once.
  std::string finish();

private:
  class Context;
  std::unique_ptr<Context> context_;
};

}  // namespace hash
