// Parsing of digests.
#include "common/hash/digest.hpp"

#include <algorithm>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace hash {

Digest Digest::parse(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  if (!text.starts_with(prefix)) {
    throw util::Error("invalid digest " + util::quote(text) + ": expected 'sha256:' and 64 hex digits");
  }
  return from_hex(text.substr(prefix.size()));
}

Digest Digest::from_hex(std::string_view hex) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hex.size() != 64 || !std::all_of(hex.begin(), hex.end(), is_hex)) {
    throw util::Error("invalid digest 'sha256:" + util::escape(hex) + "': expected 64 lower-case hex digits");
  }
  return Digest("sha256:" + std::string(hex));
}

}  // namespace hash
