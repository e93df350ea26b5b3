// Parsing of sizes.
#include "tools/oci-unpack/size.hpp"

#include <limits>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_unpack {

std::uint64_t parse_size(std::string_view text) {
  constexpr std::string_view units = "KMGTkmgt";
  std::string_view digits = text;
  unsigned shift = 0;
  if (const auto unit = text.empty() ? std::string_view::npos : units.find(text.back());
      unit != std::string_view::npos) {
    digits.remove_suffix(1);
    shift = static_cast<unsigned>(unit % 4 + 1) * 10;
  }
  const auto number = util::parse_uint(digits);
  if (!number || *number == 0 || *number > std::numeric_limits<std::uint64_t>::max() >> shift) {
    throw util::Error(util::quote(text) + " is no size: give a number of bytes or one like 500M or 10G",
                      util::ExitCode::usage);
  }
  return *number << shift;
}

}  // namespace oci_unpack
