// Decompression of gzip (RFC 1952).
#pragma once

#include <memory>
#include <string>

#include "common/stream/sink.hpp"
#include "common/stream/source.hpp"

namespace stream {

// What `inner` decompresses to: all its members, one after another. Zero bytes behind the last member are
// passed over, as gzip(1) does (tapes and some tools pad); anything else there is an error. Checksums and
// lengths are checked. Throws util::Error naming `what` when the stream is damaged or cut off.
std::unique_ptr<Source> gunzip(std::unique_ptr<Source> inner, std::string what);

// The same for bytes that are pushed, by the same rules; what is cut off is found by finish(), and so is a
// stream without a byte.
std::unique_ptr<Sink> gunzip_into(std::unique_ptr<Sink> inner, std::string what);

}  // namespace stream
