// Buffering around a decoder.
#include "common/stream/inflating_source.hpp"

#include <algorithm>
#include <cstring>

namespace stream {
namespace {

constexpr std::size_t chunk_size = 128 << 10;
// Decoders keep a window of 32 KiB or more between calls; below this size its upkeep would cost more than a
// copy.
constexpr std::size_t in_place_size = 64 << 10;

}  // namespace

InflatingSource::InflatingSource(std::unique_ptr<Source> inner, std::string what)
    : inner_(std::move(inner)), what_(std::move(what)), input_(chunk_size) {}

std::size_t InflatingSource::read(std::span<std::byte> buffer) {
  if (ready_.empty()) {
    if (ended_) return 0;
    const bool in_place = buffer.size() >= in_place_size;
    if (!in_place) output_.resize(chunk_size);
    const std::size_t count = inflate(in_place ? buffer : std::span(output_));
    ended_ = count == 0;
    if (in_place) return count;
    ready_ = std::span(output_).first(count);
  }
  const std::size_t count = std::min(buffer.size(), ready_.size());
  std::memcpy(buffer.data(), ready_.data(), count);
  ready_ = ready_.subspan(count);
  return count;
}

std::span<const std::byte> InflatingSource::input() {
  if (unread_.empty() && !inner_ended_) {
    unread_ = std::span(input_).first(inner_->read(input_));
    inner_ended_ = unread_.empty();
  }
  return unread_;
}

void InflatingSource::consume(std::size_t count) {
  unread_ = unread_.subspan(count);
}

void InflatingSource::fail(const std::string& reason, util::Cause::Kind kind) const {
  throw util::Error(what_ + " " + reason, kind);
}

}  // namespace stream
