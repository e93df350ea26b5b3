// Decompression of xz.
#pragma once

#include <memory>
#include <string>

#include "common/stream/source.hpp"

namespace stream {

// What `inner` decompresses to: all its streams, one after another. The decoder's memory is limited to 128
// MiB; `xz -9` needs 65 MiB. Throws util::Error naming `what` when the stream is damaged, cut off or needs
// more.
std::unique_ptr<Source> unxz(std::unique_ptr<Source> inner, std::string what);

}  // namespace stream
