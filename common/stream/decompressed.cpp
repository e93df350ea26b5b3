// Recognition of compressed streams.
#include "common/stream/decompressed.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/stream/bzip2.hpp"
#include "common/stream/gzip.hpp"
#include "common/stream/xz.hpp"
#include "common/stream/zstd.hpp"

namespace stream {
namespace {

// Bytes that were read for a look at them, then the rest.
class RejoinedSource : public Source {
public:
  RejoinedSource(std::span<const std::byte> head, std::unique_ptr<Source> rest)
      : size_(head.size()), rest_(std::move(rest)) {
    std::copy(head.begin(), head.end(), head_.begin());
  }

  std::size_t read(std::span<std::byte> buffer) override {
    if (position_ == size_) return rest_->read(buffer);
    const std::size_t count = std::min(buffer.size(), size_ - position_);
    std::memcpy(buffer.data(), head_.data() + position_, count);
    position_ += count;
    return count;
  }

  std::uint64_t skip(std::uint64_t count) override {
    const std::uint64_t from_head = std::min<std::uint64_t>(count, size_ - position_);
    position_ += from_head;
    return from_head + (count > from_head ? rest_->skip(count - from_head) : 0);
  }

private:
  std::array<std::byte, detect_size> head_;
  std::size_t size_;
  std::size_t position_ = 0;
  std::unique_ptr<Source> rest_;
};

class DecompressedSource : public Source {
public:
  DecompressedSource(std::unique_ptr<Source> inner, std::string what)
      : inner_(std::move(inner)), what_(std::move(what)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    recognise();
    return inner_->read(buffer);
  }

  std::uint64_t skip(std::uint64_t count) override {
    recognise();
    return inner_->skip(count);
  }

private:
  void recognise() {
    if (recognised_) return;
    std::array<std::byte, detect_size> head;
    const auto seen = std::span(head).first(read_full(*inner_, head));
    inner_ = decompressed(std::make_unique<RejoinedSource>(seen, std::move(inner_)), detect(seen), what_);
    recognised_ = true;
  }

  std::unique_ptr<Source> inner_;
  std::string what_;
  bool recognised_ = false;
};

bool starts_with(std::span<const std::byte> bytes, std::initializer_list<unsigned> magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(),
                    [](unsigned expected, std::byte byte) { return std::byte(expected) == byte; });
}

}  // namespace

Compression detect(std::span<const std::byte> head) {
  if (starts_with(head, {0x1F, 0x8B})) return Compression::gzip;
  if (starts_with(head, {0x28, 0xB5, 0x2F, 0xFD})) return Compression::zstd;
  if (starts_with(head, {'B', 'Z', 'h'})) return Compression::bzip2;
  if (starts_with(head, {0xFD, '7', 'z', 'X', 'Z', 0x00})) return Compression::xz;
  // A skippable frame (RFC 8878, 3.1.2) may come first: 0x184D2A50 to 0x184D2A5F, little-endian.
  const bool skippable = head.size() >= 4 && (head[0] & std::byte{0xF0}) == std::byte{0x50} &&
                         starts_with(head.subspan(1), {0x2A, 0x4D, 0x18});
  return skippable ? Compression::zstd : Compression::none;
}

std::unique_ptr<Source> decompressed(std::unique_ptr<Source> inner, std::string what) {
  return std::make_unique<DecompressedSource>(std::move(inner), std::move(what));
}

std::unique_ptr<Source> decompressed(std::unique_ptr<Source> inner, Compression compression,
                                     std::string what) {
  switch (compression) {
    case Compression::gzip:
      return gunzip(std::move(inner), std::move(what));
    case Compression::zstd:
      return unzstd(std::move(inner), std::move(what));
    case Compression::bzip2:
      return bunzip2(std::move(inner), std::move(what));
    case Compression::xz:
      return unxz(std::move(inner), std::move(what));
    case Compression::none:
      break;
  }
  return inner;
}

}  // namespace stream
