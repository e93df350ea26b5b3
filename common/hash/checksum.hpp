// Checksums that people give for downloads, by any registered algorithm.
#pragma once

#include <string>
#include <string_view>

#include "common/hash/hasher.hpp"

namespace hash {

struct Checksum {
  Algorithm algorithm = Algorithm::sha256;
  std::string hex;  // lower case, as long as the algorithm's

  // From "sha256:HEX", "sha384:HEX" or "sha512:HEX". Throws util::Error in the words of BuildKit.
  static Checksum parse(std::string_view text);

  std::string str() const;  // "sha512:..."

  friend bool operator==(const Checksum&, const Checksum&) = default;
};

}  // namespace hash
