// Decompression of bytes that are pushed.
#include <gtest/gtest.h>

#include "common/stream/gzip.hpp"
#include "tests/support/error_of.hpp"

namespace stream {
namespace {

class TextSink : public Sink {
public:
  explicit TextSink(std::string& text) : text_(text) {}
  void write(std::span<const std::byte> data) override {
    text_.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void finish() override { text_ += '.'; }

private:
  std::string& text_;
};

std::string gzip_of(const std::string& text) {
  std::string compressed;
  const auto sink = compress(std::make_unique<TextSink>(compressed), Compressor::gzip, std::nullopt);
  sink->write(std::as_bytes(std::span(text)));
  sink->finish();
  compressed.pop_back();
  return compressed;
}

// Pushes `bytes` in pieces of `size`.
std::string gunzip_pieces(const std::string& bytes, std::size_t size) {
  std::string text;
  const auto sink = gunzip_into(std::make_unique<TextSink>(text), "it");
  for (std::size_t start = 0; start < bytes.size(); start += size)
    sink->write(std::as_bytes(std::span(bytes).subspan(start, std::min(size, bytes.size() - start))));
  sink->finish();
  return text;
}

std::string failure(const std::string& bytes) {
  return test::error_of([&] { gunzip_pieces(bytes, 1000); });
}

TEST(GunzipSink, DecodesAllMembersInPiecesOfAnySize) {
  const std::string large(300'000, 'x');
  const auto bytes = gzip_of("one ") + gzip_of("") + gzip_of(large);
  for (const std::size_t size : {1, 2, 7, 1000, 1'000'000})
    EXPECT_EQ(gunzip_pieces(bytes, size), "one " + large + ".") << size;
  EXPECT_EQ(gunzip_pieces(gzip_of("a") + std::string(20, '\0'), 3), "a.");
}

TEST(GunzipSink, SaysWhatIsWrong) {
  const auto whole = gzip_of("some text, some more text");
  EXPECT_EQ(failure(""), "it is cut off within its gzip data");
  EXPECT_EQ(failure(whole.substr(0, 15)), "it is cut off within its gzip data");
  EXPECT_EQ(failure(whole + "x"), "it is damaged: something else follows its gzip data");
  EXPECT_EQ(failure(whole + std::string(3, '\0') + "x"),
            "it is damaged: something else follows its gzip data");
  EXPECT_EQ(failure("plain"), "it is damaged: its gzip data cannot be decoded");
  auto wrong = whole;
  wrong[wrong.size() - 6] ^= 1;
  EXPECT_EQ(failure(wrong), "it is damaged: its gzip data cannot be decoded");
}

}  // namespace
}  // namespace stream
