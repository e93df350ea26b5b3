// SHA-256 over a stream of bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "common/hash/digest.hpp"

namespace hash {

// Feed it with update(), then take the digest once with finish().
class Sha256 {
public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::span<const std::byte> data);
  // Of everything fed so far. At most once.
  Digest finish();

private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Of bytes in memory.
Digest sha256(std::string_view data);

}  // namespace hash
