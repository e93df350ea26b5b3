// bzip2 by libbz2.
#include "common/stream/bzip2.hpp"

#include <bzlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "common/stream/inflating_source.hpp"

namespace stream {
namespace {

// libbz2 neither changes its input nor takes it as const, and counts in unsigned int.
unsigned count_of(std::size_t size) {
  return static_cast<unsigned>(std::min<std::size_t>(size, std::numeric_limits<unsigned>::max()));
}

class Bzip2Source : public InflatingSource {
public:
  Bzip2Source(std::unique_ptr<Source> inner, std::string what)
      : InflatingSource(std::move(inner), std::move(what)) {
    begin();
  }
  ~Bzip2Source() override { ::BZ2_bzDecompressEnd(&decoder_); }
  Bzip2Source(const Bzip2Source&) = delete;
  Bzip2Source& operator=(const Bzip2Source&) = delete;

protected:
  std::size_t inflate(std::span<std::byte> output) override {
    for (;;) {
      const auto in = input();
      if (at_stream_end_) {
        if (in.empty()) return 0;
        ::BZ2_bzDecompressEnd(&decoder_);
        begin();
      }
      decoder_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
      decoder_.avail_in = count_of(in.size());
      decoder_.next_out = reinterpret_cast<char*>(output.data());
      decoder_.avail_out = count_of(output.size());
      const unsigned given = decoder_.avail_in;
      const unsigned room = decoder_.avail_out;
      const int result = ::BZ2_bzDecompress(&decoder_);
      if (result != BZ_OK && result != BZ_STREAM_END) fail("is damaged: its bzip2 data cannot be decoded");
      consume(given - decoder_.avail_in);
      at_stream_end_ = result == BZ_STREAM_END;
      const unsigned count = room - decoder_.avail_out;
      if (count > 0) return count;
      if (in.empty() && !at_stream_end_) fail("is cut off within its bzip2 data");
    }
  }

private:
  void begin() {
    decoder_ = {};
    if (::BZ2_bzDecompressInit(&decoder_, 0, 0) != BZ_OK) throw std::bad_alloc();
    at_stream_end_ = false;
  }

  bz_stream decoder_ = {};
  bool at_stream_end_ = false;
};

}  // namespace

std::unique_ptr<Source> bunzip2(std::unique_ptr<Source> inner, std::string what) {
  return std::make_unique<Bzip2Source>(std::move(inner), std::move(what));
}

}  // namespace stream
