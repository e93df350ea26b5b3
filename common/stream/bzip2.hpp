// Decompression of bzip2.
#pragma once

#include <memory>
#include <string>

#include "common/stream/source.hpp"

namespace stream {

// What `inner` decompresses to: all its streams, one after another. Throws util::Error naming `what` when the
// stream is damaged or cut off.
std::unique_ptr<Source> bunzip2(std::unique_ptr<Source> inner, std::string what);

}  // namespace stream
