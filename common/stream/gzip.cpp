// gzip by isa-l, which decodes about twice as fast as zlib. Its own parser of headers and trailers (2.30)
// loses its place when a field is split between two inputs, so it decodes only the deflate data between them.
#include "common/stream/gzip.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "common/stream/inflating_source.hpp"

namespace stream {
namespace {

class GzipSource : public InflatingSource {
public:
  GzipSource(std::unique_ptr<Source> inner, std::string what)
      : InflatingSource(std::move(inner), std::move(what)), state_(std::make_unique<inflate_state>()) {}

protected:
  std::size_t inflate(std::span<std::byte> output) override {
    for (;;) {
      if (!in_member_ && !start_member()) return 0;
      const std::size_t count = inflate_some(output);
      if (state_->block_state == ISAL_BLOCK_FINISH) end_member();
      if (count > 0) return count;
    }
  }

private:
  // False at the end of the stream.
  bool start_member() {
    const auto head = input();
    if (head.empty()) return false;
    if (seen_member_ && head.front() == std::byte{0}) {
      pass_padding();
      return false;
    }
    pass_header();
    ::isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP_NO_HDR;  // compute the CRC, but neither header nor trailer is there
    holds_output_ = false;
    in_member_ = true;
    return true;
  }

  // RFC 1952, 2.3. The header's own optional CRC is passed over: nothing in the header is used.
  void pass_header() {
    constexpr unsigned header_crc = 2, extra = 4, name = 8, comment = 16, reserved = 0xE0;
    if (next_byte() != 0x1F || next_byte() != 0x8B) {
      fail(seen_member_ ? "is damaged: something else follows its gzip data" : "is not gzip data");
    }
    const unsigned method = next_byte();
    const unsigned flags = next_byte();
    if (method != 8 || (flags & reserved) != 0) fail_data();
    for (int i = 0; i < 6; ++i)
      next_byte();  // time, extra flags, operating system
    if ((flags & extra) != 0) {
      for (std::uint32_t left = next_number(2); left > 0; --left)
        next_byte();
    }
    if ((flags & name) != 0) pass_string();
    if ((flags & comment) != 0) pass_string();
    if ((flags & header_crc) != 0) next_number(2);
  }

  void pass_string() {
    while (next_byte() != 0) {}
  }

  void pass_padding() {
    for (auto padding = input(); !padding.empty(); padding = input()) {
      if (std::any_of(padding.begin(), padding.end(), [](std::byte byte) { return byte != std::byte{0}; })) {
        fail("is damaged: something else follows its gzip data");
      }
      consume(padding.size());
    }
  }

  void end_member() {
    // The decoder reads ahead by up to 8 bytes, never more than the trailer has.
    held_ = state_->read_in >> (state_->read_in_length % 8);
    held_size_ = state_->read_in_length / 8;
    const std::uint32_t crc = next_number(4);
    const std::uint32_t size = next_number(4);
    if (crc != state_->crc || size != state_->total_out) fail("is damaged: its gzip checksum does not match");
    in_member_ = false;
    seen_member_ = true;
  }

  // One call of the decoder. It may give nothing: within block headers.
  std::size_t inflate_some(std::span<std::byte> output) {
    // What the decoder holds back for want of room comes out first, without more input.
    const auto in = holds_output_ ? std::span<const std::byte>() : input();
    const auto room = std::min<std::size_t>(output.size(), std::numeric_limits<std::uint32_t>::max());
    // isa-l does not write through next_in; it lacks a const.
    state_->next_in = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(in.data()));
    state_->avail_in = static_cast<std::uint32_t>(in.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(output.data());
    state_->avail_out = static_cast<std::uint32_t>(room);
    if (::isal_inflate(state_.get()) < 0) fail_data();
    const std::size_t consumed = in.size() - state_->avail_in;
    const std::size_t produced = room - state_->avail_out;
    consume(consumed);
    const bool finished = state_->block_state == ISAL_BLOCK_FINISH;
    if (!finished && consumed == 0 && produced == 0 && !holds_output_) {
      if (in.empty()) fail_cut_off();
      fail_data();
    }
    holds_output_ = !finished && state_->avail_out == 0 && state_->avail_in == 0;
    return produced;
  }

  unsigned next_byte() {
    if (held_size_ > 0) {
      const unsigned byte = held_ & 0xFF;
      held_ >>= 8;
      --held_size_;
      return byte;
    }
    const auto bytes = input();
    if (bytes.empty()) fail_cut_off();
    const auto byte = std::to_integer<unsigned>(bytes.front());
    consume(1);
    return byte;
  }

  std::uint32_t next_number(int size) {
    std::uint32_t number = 0;
    for (int i = 0; i < size; ++i)
      number |= next_byte() << (8 * i);
    return number;
  }

  [[noreturn]] void fail_cut_off() const { fail("is cut off within its gzip data"); }
  [[noreturn]] void fail_data() const { fail("is damaged: its gzip data cannot be decoded"); }

  std::unique_ptr<inflate_state> state_;
  std::uint64_t held_ = 0;  // bytes that the decoder read and did not need, first in the lowest bits
  int held_size_ = 0;
  bool in_member_ = false;
  bool seen_member_ = false;
  bool holds_output_ = false;
};

}  // namespace

std::unique_ptr<Source> gunzip(std::unique_ptr<Source> inner, std::string what) {
  return std::make_unique<GzipSource>(std::move(inner), std::move(what));
}

}  // namespace stream
