// xz by liblzma.
#include "common/stream/xz.hpp"

#include <lzma.h>

#include <new>

#include "common/stream/inflating_source.hpp"

namespace stream {
namespace {

constexpr std::uint64_t max_memory = 128 << 20;

class XzSource : public InflatingSource {
public:
  XzSource(std::unique_ptr<Source> inner, std::string what)
      : InflatingSource(std::move(inner), std::move(what)) {
    if (::lzma_stream_decoder(&decoder_, max_memory, LZMA_CONCATENATED) != LZMA_OK) throw std::bad_alloc();
  }
  ~XzSource() override { ::lzma_end(&decoder_); }
  XzSource(const XzSource&) = delete;
  XzSource& operator=(const XzSource&) = delete;

protected:
  std::size_t inflate(std::span<std::byte> output) override {
    while (!ended_) {
      const auto in = input();
      decoder_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
      decoder_.avail_in = in.size();
      decoder_.next_out = reinterpret_cast<std::uint8_t*>(output.data());
      decoder_.avail_out = output.size();
      // Of concatenated streams only the caller knows the end.
      const auto result = ::lzma_code(&decoder_, in.empty() ? LZMA_FINISH : LZMA_RUN);
      consume(in.size() - decoder_.avail_in);
      if (result == LZMA_MEMLIMIT_ERROR)
        fail("needs more than 128 MiB to be decompressed by xz", util::Cause::Kind::refused);
      if (result == LZMA_BUF_ERROR && in.empty()) fail("is cut off within its xz data");
      if (result != LZMA_OK && result != LZMA_STREAM_END) fail("is damaged: its xz data cannot be decoded");
      ended_ = result == LZMA_STREAM_END;
      const std::size_t count = output.size() - decoder_.avail_out;
      if (count > 0) return count;
    }
    return 0;
  }

private:
  lzma_stream decoder_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Source> unxz(std::unique_ptr<Source> inner, std::string what) {
  return std::make_unique<XzSource>(std::move(inner), std::move(what));
}

}  // namespace stream
