// Sizes as people write them.
#pragma once

#include <cstdint>
#include <string_view>

namespace oci_unpack {

// Digits, then perhaps K, M, G or T in either case: powers of 1024. Throws util::Error (wrong usage)
// otherwise, for 0, and for what does not fit.
std::uint64_t parse_size(std::string_view text);

}  // namespace oci_unpack
