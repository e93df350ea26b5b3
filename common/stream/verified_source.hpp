// A source whose bytes must have a digest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/hash/digest.hpp"
#include "common/stream/source.hpp"

namespace stream {

// Passes `inner` through and, at its end, throws util::Error naming `what` unless the bytes had `digest` and
// (where given) exactly `size` bytes. More bytes than `size` are an Error as soon as they are seen. skip()
// reads. What was read before the end is not yet trusted: use it only where the end is checked before it
// takes effect.
std::unique_ptr<Source> verified(std::unique_ptr<Source> inner, hash::Digest digest,
                                 std::optional<std::uint64_t> size, std::string what);

// Of all that is left of `source`.
hash::Digest digest_of(Source& source);

// Reads `source` to its end, so that verification behind it happens even when a reader stopped early (a tar's
// padding after its end marker).
void drain(Source& source);

}  // namespace stream
