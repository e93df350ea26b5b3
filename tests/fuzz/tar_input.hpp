// Input of the fuzzers that read tar archives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/support/tar_archive.hpp"

namespace fuzz {

// The bytes with the checksum set right in every block that looks like a header: a fuzzer cannot guess
// checksums.
inline std::string sealed_archive(const std::uint8_t* data, std::size_t size) {
  std::string archive(reinterpret_cast<const char*>(data), size);
  for (std::size_t at = 0; at + 512 <= archive.size(); at += 512) {
    if (archive.compare(at + 257, 5, "ustar") == 0)
      archive.replace(at, 512, test::sealed(archive.substr(at, 512)));
  }
  return archive;
}

}  // namespace fuzz
