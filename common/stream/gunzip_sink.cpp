// gzip of bytes that are pushed, by zlib: isa-l would need a parser of headers and trailers of its own that
// can stop anywhere, and what comes this way is as fast as a network.
#include <zlib.h>

#include <algorithm>
#include <array>

#include "common/stream/gzip.hpp"
#include "common/util/error.hpp"

namespace stream {
namespace {

class GunzipSink : public Sink {
public:
  GunzipSink(std::unique_ptr<Sink> inner, std::string what)
      : inner_(std::move(inner)), what_(std::move(what)) {
    constexpr int gzip_of_any_window = 15 + 16;
    if (::inflateInit2(&stream_, gzip_of_any_window) != Z_OK) throw std::bad_alloc();
  }
  GunzipSink(const GunzipSink&) = delete;
  GunzipSink& operator=(const GunzipSink&) = delete;
  ~GunzipSink() override { ::inflateEnd(&stream_); }

  void write(std::span<const std::byte> data) override {
    while (!data.empty()) {
      if (state_ == State::behind && data.front() == std::byte{0}) state_ = State::padding;
      if (state_ == State::padding) {
        const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
        if (!std::all_of(data.begin(), data.end(), is_zero)) fail_follows();
        return;
      }
      if (state_ == State::behind && data.front() != std::byte{0x1f}) fail_follows();
      if (state_ == State::behind && ::inflateReset(&stream_) != Z_OK) fail("cannot be decoded");
      data = data.subspan(inflate(data));
    }
  }

  void finish() override {
    if (state_ == State::front || state_ == State::inside) fail("is cut off within its gzip data");
    inner_->finish();
  }

private:
  enum class State {
    front,    // nothing came
    inside,   // of a member
    behind,   // a member
    padding,  // behind the last one
  };

  // Returns how much of `data` it took: all of it, or what belongs to the member.
  std::size_t inflate(std::span<const std::byte> data) {
    state_ = State::inside;
    const auto part = data.first(std::min<std::size_t>(data.size(), 1 << 30));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
    stream_.avail_in = static_cast<uInt>(part.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(output_.data());
      stream_.avail_out = static_cast<uInt>(output_.size());
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        fail("is damaged: its gzip data cannot be decoded");
      if (const auto size = output_.size() - stream_.avail_out; size > 0)
        inner_->write(std::span(output_).first(size));
      if (result == Z_STREAM_END) {
        state_ = State::behind;
        break;
      }
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return part.size() - stream_.avail_in;
  }

  [[noreturn]] void fail_follows() const { fail("is damaged: something else follows its gzip data"); }
  [[noreturn]] void fail(const std::string& reason) const {
    throw util::Error(what_ + " " + reason, util::Cause::Kind::damaged);
  }

  std::unique_ptr<Sink> inner_;
  std::string what_;
  z_stream stream_ = {};
  State state_ = State::front;
  std::array<std::byte, 64 << 10> output_;
};

}  // namespace

std::unique_ptr<Sink> gunzip_into(std::unique_ptr<Sink> inner, std::string what) {
  return std::make_unique<GunzipSink>(std::move(inner), std::move(what));
}

}  // namespace stream
