// Zstandard by libzstd.
#include "common/stream/zstd.hpp"

#include <zstd.h>
#include <zstd_errors.h>

#include <new>

#include "common/stream/inflating_source.hpp"

namespace stream {
namespace {

constexpr int max_window_log = 27;

class ZstdSource : public InflatingSource {
public:
  ZstdSource(std::unique_ptr<Source> inner, std::string what)
      : InflatingSource(std::move(inner), std::move(what)), context_(::ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
    ::ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, max_window_log);
  }

protected:
  std::size_t inflate(std::span<std::byte> output) override {
    for (;;) {
      const auto in = holds_output_ ? std::span<const std::byte>() : input();
      if (in.empty() && at_frame_end_) return 0;
      ZSTD_inBuffer from{in.data(), in.size(), 0};
      ZSTD_outBuffer to{output.data(), output.size(), 0};
      const std::size_t result = ::ZSTD_decompressStream(context_.get(), &to, &from);
      if (::ZSTD_isError(result)) fail_data(result);
      if (in.empty() && to.pos == 0 && !holds_output_) fail("is cut off within its zstd data");
      consume(from.pos);
      at_frame_end_ = result == 0;
      holds_output_ = !at_frame_end_ && to.pos == to.size;
      if (to.pos > 0) return to.pos;
    }
  }

private:
  [[noreturn]] void fail_data(std::size_t result) const {
    if (::ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
      fail("needs a zstd window of more than 128 MiB; compress it without --long",
           util::Cause::Kind::refused);
    }
    fail("is damaged: its zstd data cannot be decoded");
  }

  struct Free {
    void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool at_frame_end_ = false;
  bool holds_output_ = false;
};

}  // namespace

std::unique_ptr<Source> unzstd(std::unique_ptr<Source> inner, std::string what) {
  return std::make_unique<ZstdSource>(std::move(inner), std::move(what));
}

}  // namespace stream
