// SHA-256 over a stream of bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/hash/hasher.hpp"

namespace hash {

// Feed it with update(), then take the digest once with finish().
class Sha256 {
public:
  void update(std::span<const std::byte> data);
  // Of everything fed so far. At most once.
  Digest finish();

private:
  Hasher hasher_{Algorithm::sha256};
};

// Of bytes in memory.
Digest sha256(std::string_view data);

}  // namespace hash
