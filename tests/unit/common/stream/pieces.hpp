// Sources for tests: bytes that arrive in small pieces, and sources that fail.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "common/stream/source.hpp"
#include "common/util/error.hpp"

namespace testing_streams {

// Gives `content` in pieces of at most `piece` bytes, then ends or, where `failure` is not empty, throws it.
class PieceSource : public stream::Source {
public:
  PieceSource(std::string content, std::size_t piece, std::string failure = "")
      : content_(std::move(content)), piece_(piece), failure_(std::move(failure)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min({buffer.size(), piece_, content_.size() - position_});
    if (count == 0 && !failure_.empty()) throw util::Error(failure_);
    std::memcpy(buffer.data(), content_.data() + position_, count);
    position_ += count;
    return count;
  }

private:
  std::string content_;
  std::size_t piece_;
  std::string failure_;
  std::size_t position_ = 0;
};

inline std::unique_ptr<stream::Source> in_pieces(std::string content, std::size_t piece,
                                                 std::string failure = "") {
  return std::make_unique<PieceSource>(std::move(content), piece, std::move(failure));
}

// Everything, read `piece` bytes at a time.
inline std::string read_in_pieces(stream::Source& source, std::size_t piece) {
  std::string all, buffer(piece, '\0');
  while (const auto count = source.read(std::as_writable_bytes(std::span(buffer))))
    all.append(buffer, 0, count);
  return all;
}

// Bytes that compress to about half, the same ones for the same seed.
inline std::string sample(std::size_t size, unsigned seed = 1) {
  std::string text;
  text.reserve(size);
  while (text.size() < size) {
    seed = seed * 1664525U + 1013904223U;
    text += static_cast<char>('a' + (seed >> 24) % 16);
  }
  return text;
}

}  // namespace testing_streams
