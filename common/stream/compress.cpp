// Compression: gzip by isa-l, which is several times faster than zlib at nearly its size, or by zlib where a
// level asks for more than isa-l has; zstd by libzstd.
#include <isa-l/igzip_lib.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include "common/stream/sink.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"

namespace stream {
namespace {

constexpr std::size_t output_size = 128 << 10;

// What Go's compress/gzip writes: no flags, no time, no hint, unknown system.
constexpr std::array<std::byte, 10> gzip_header = {
    std::byte{0x1f}, std::byte{0x8b}, std::byte{8}, std::byte{0}, std::byte{0},
    std::byte{0},    std::byte{0},    std::byte{0}, std::byte{0}, std::byte{0xff}};

class IsalGzip : public Sink {
public:
  IsalGzip(std::unique_ptr<Sink> inner, unsigned level) : inner_(std::move(inner)), output_(output_size) {
    ::isal_deflate_init(&stream_);
    stream_.level = level;
    const std::uint32_t size = level == 1   ? ISAL_DEF_LVL1_LARGE
                               : level == 2 ? ISAL_DEF_LVL2_LARGE
                                            : ISAL_DEF_LVL3_LARGE;
    level_buffer_.reset(static_cast<std::uint8_t*>(std::calloc(size, 1)));
    if (!level_buffer_) throw std::bad_alloc();
    stream_.level_buf = level_buffer_.get();
    stream_.level_buf_size = size;
    // Raw deflate plus the checksum: the header is ours.
    stream_.gzip_flag = IGZIP_GZIP_NO_HDR;
    inner_->write(gzip_header);
  }

  void write(std::span<const std::byte> data) override {
    while (!data.empty()) {
      const auto part = data.first(std::min<std::size_t>(data.size(), 1 << 30));
      deflate(part, false);
      data = data.subspan(part.size());
    }
  }

  void finish() override {
    deflate({}, true);
    inner_->finish();
  }

private:
  void deflate(std::span<const std::byte> data, bool last) {
    stream_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(data.data()));
    stream_.avail_in = static_cast<std::uint32_t>(data.size());
    stream_.end_of_stream = last ? 1 : 0;
    do {
      stream_.next_out = reinterpret_cast<std::uint8_t*>(output_.data());
      stream_.avail_out = static_cast<std::uint32_t>(output_.size());
      if (::isal_deflate(&stream_) != COMP_OK) throw util::Error("gzip compression failed");
      inner_->write(std::span(output_).first(output_.size() - stream_.avail_out));
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
  }

  std::unique_ptr<Sink> inner_;
  isal_zstream stream_{};
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };

  // Zeros, so that equal bytes are compressed alike, but from calloc: it leaves alone what the kernel has
  // filled with zeros.
  std::unique_ptr<std::uint8_t, Free> level_buffer_;
  util::Buffer output_;
};

class ZlibGzip : public Sink {
public:
  ZlibGzip(std::unique_ptr<Sink> inner, int level) : inner_(std::move(inner)), output_(output_size) {
    constexpr int window_bits_and_gzip = 15 + 16;
    if (::deflateInit2(&stream_, level, Z_DEFLATED, window_bits_and_gzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw util::Error("gzip compression cannot be set up");
    }
    header_.os = 255;
    ::deflateSetHeader(&stream_, &header_);
  }
  ZlibGzip(const ZlibGzip&) = delete;
  ZlibGzip& operator=(const ZlibGzip&) = delete;
  ~ZlibGzip() override { ::deflateEnd(&stream_); }

  void write(std::span<const std::byte> data) override {
    while (!data.empty()) {
      const auto part = data.first(std::min<std::size_t>(data.size(), 1 << 30));
      deflate(part, Z_NO_FLUSH);
      data = data.subspan(part.size());
    }
  }

  void finish() override {
    deflate({}, Z_FINISH);
    inner_->finish();
  }

private:
  void deflate(std::span<const std::byte> data, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
    stream_.avail_in = static_cast<uInt>(data.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(output_.data());
      stream_.avail_out = static_cast<uInt>(output_.size());
      if (::deflate(&stream_, flush) == Z_STREAM_ERROR) throw util::Error("gzip compression failed");
      inner_->write(std::span(output_).first(output_.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

  std::unique_ptr<Sink> inner_;
  z_stream stream_{};
  gz_header header_{};
  util::Buffer output_;
};

class Zstd : public Sink {
public:
  Zstd(std::unique_ptr<Sink> inner, int level) : inner_(std::move(inner)), output_(::ZSTD_CStreamOutSize()) {
    check(::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    check(::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
  }

  void write(std::span<const std::byte> data) override { run(data, ZSTD_e_continue); }

  void finish() override {
    run({}, ZSTD_e_end);
    inner_->finish();
  }

private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ::ZSTD_freeCCtx(context); }
  };

  static std::size_t check(std::size_t result) {
    if (::ZSTD_isError(result))
      throw util::Error(std::string("zstd compression failed: ") + ::ZSTD_getErrorName(result));
    return result;
  }

  void run(std::span<const std::byte> data, ZSTD_EndDirective directive) {
    ZSTD_inBuffer input{data.data(), data.size(), 0};
    for (bool more = true; more;) {
      ZSTD_outBuffer output{output_.data(), output_.size(), 0};
      const std::size_t left = check(::ZSTD_compressStream2(context_.get(), &output, &input, directive));
      inner_->write(std::span(output_).first(output.pos));
      more = directive == ZSTD_e_end ? left > 0 : input.pos < input.size;
    }
  }

  std::unique_ptr<Sink> inner_;
  std::unique_ptr<ZSTD_CCtx, Free> context_{::ZSTD_createCCtx()};
  util::Buffer output_;
};

}  // namespace

std::unique_ptr<Sink> compress(std::unique_ptr<Sink> inner, Compressor compressor, std::optional<int> level) {
  switch (compressor) {
    case Compressor::none:
      return inner;
    case Compressor::zstd:
      return std::make_unique<Zstd>(std::move(inner), level.value_or(3));
    case Compressor::gzip:
      break;
  }
  // isa-l's three levels end where zlib's fourth begins, in size.
  const int wanted = level.value_or(2);
  if (wanted >= 1 && wanted <= 3)
    return std::make_unique<IsalGzip>(std::move(inner), static_cast<unsigned>(wanted));
  return std::make_unique<ZlibGzip>(std::move(inner), wanted);
}

}  // namespace stream
