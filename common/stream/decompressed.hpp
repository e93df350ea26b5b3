// Compressed bytes, recognised by what they are rather than by what they are called.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/stream/source.hpp"

namespace stream {

enum class Compression { none, gzip, zstd, bzip2, xz };

// How many bytes `detect` wants to see.
inline constexpr std::size_t detect_size = 6;

// Tells by the first bytes of a stream; fewer than detect_size only if the stream has no more.
Compression detect(std::span<const std::byte> head);

// `inner` decompressed, if it is compressed by its first bytes; else as it stands. Nothing is read before
// the first read(). Throws util::Error naming `what` as the decompressors do.
std::unique_ptr<Source> decompressed(std::unique_ptr<Source> inner, std::string what);

// The same where the compression is known.
std::unique_ptr<Source> decompressed(std::unique_ptr<Source> inner, Compression compression,
                                     std::string what);

}  // namespace stream
