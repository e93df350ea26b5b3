// Decompression of Zstandard (RFC 8878).
#pragma once

#include <memory>
#include <string>

#include "common/stream/source.hpp"

namespace stream {

// What `inner` decompresses to: all its frames, one after another, skippable ones passed over. The decoder's
// window, and so its memory, is limited to 128 MiB, what zstd(1) accepts by default and `zstd --ultra -22`
// writes; ordinary levels need 8 MiB or less. Throws util::Error naming `what` when the stream is damaged,
// cut off or needs more.
std::unique_ptr<Source> unzstd(std::unique_ptr<Source> inner, std::string what);

}  // namespace stream
