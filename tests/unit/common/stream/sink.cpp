// Sinks that pass bytes on in other threads.
#include "common/stream/sink.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "common/util/error.hpp"

namespace stream {
namespace {

// Takes its time, so that whoever writes to it must wait.
class SlowSink : public Sink {
public:
  explicit SlowSink(std::string& taken) : taken_(taken) {}

  void write(std::span<const std::byte> data) override {
    for (const auto byte : data) {
      taken_.push_back(static_cast<char>(byte));
      if (taken_.size() % 1024 == 0) std::this_thread::yield();
    }
  }
  void finish() override { taken_ += "end"; }

private:
  std::string& taken_;
};

class FailingSink : public Sink {
public:
  void write(std::span<const std::byte>) override { throw util::Error("the disk is full"); }
  void finish() override {}
};

TEST(WriteBehind, PassesEveryByteOnceToASinkThatIsSlower) {
  std::string content(5 << 20, '\0');
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i / 251 + i);
  std::string taken;
  const auto sink = write_behind(std::make_unique<SlowSink>(taken));
  const auto bytes = std::as_bytes(std::span(content));
  // Pieces that are no part of a block's size, and one of several blocks.
  for (std::size_t at = 0; at < (1 << 20); at += 1000)
    sink->write(bytes.subspan(at, std::min<std::size_t>(1000, (1 << 20) - at)));
  sink->write(bytes.subspan(1 << 20));
  sink->finish();
  EXPECT_TRUE(taken == content + "end");
}

TEST(WriteBehind, EndsAnEmptyStream) {
  std::string taken;
  write_behind(std::make_unique<SlowSink>(taken))->finish();
  EXPECT_EQ(taken, "end");
}

TEST(WriteBehind, TellsTheWriterOfAFailure) {
  const auto sink = write_behind(std::make_unique<FailingSink>());
  const std::vector<std::byte> data(3 << 20);
  EXPECT_THROW(
      {
        sink->write(data);
        sink->finish();
      },
      util::Error);
}

}  // namespace
}  // namespace stream
