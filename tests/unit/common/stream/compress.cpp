// Sinks that end in files, compressed or not, and files that are full.
#include "common/stream/sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "common/stream/decompressed.hpp"
#include "common/stream/source.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"

namespace stream {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

sys::UniqueFd memory_file() {
  return sys::UniqueFd(::memfd_create("sink", MFD_CLOEXEC));
}

std::string content_of(int fd) {
  ::lseek(fd, 0, SEEK_SET);
  return sys::read_to_end(fd, "sink");
}

// Words in some disorder, so that compressors have work and several blocks of output.
std::string sample(std::size_t size) {
  std::minstd_rand random(1);
  std::string text;
  while (text.size() < size)
    text += std::to_string(random() % 5000) + " of ";
  text.resize(size);
  return text;
}

// Fails once it has taken `room` bytes.
class Limited : public Sink {
public:
  explicit Limited(std::size_t room) : room_(room) {}
  void write(std::span<const std::byte> data) override {
    if (data.size() > room_) throw util::Error("full");
    room_ -= data.size();
  }
  void finish() override {}

private:
  std::size_t room_;
};

std::string compressed(std::string_view text, Compressor compressor, std::optional<int> level) {
  const auto fd = memory_file();
  const auto sink = compress(to_fd(fd.get(), "sink"), compressor, level);
  // In pieces of odd sizes, an empty one among them.
  for (std::size_t at = 0, size = 0; at < text.size(); at += size, size = (size * 7 + 1) % 100'003) {
    sink->write(bytes(text.substr(at, size)));
  }
  sink->finish();
  return content_of(fd.get());
}

std::string decompressed_again(const std::string& blob) {
  const auto fd = memory_file();
  sys::write_all(fd.get(), blob, "blob");
  ::lseek(fd.get(), 0, SEEK_SET);
  const auto source = decompressed(from_fd(sys::UniqueFd(::dup(fd.get())), "blob"), "blob");
  std::string text;
  std::vector<std::byte> buffer(64 << 10);
  while (const std::size_t count = source->read(buffer))
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  return text;
}

TEST(FdSink, WritesAllInOrderWhateverTheSizes) {
  const auto fd = memory_file();
  const auto sink = to_fd(fd.get(), "sink");
  std::string expected;
  for (const std::size_t size : {0, 1, 100'000, 300'000, 5, 262'144, 262'143}) {
    const std::string part(size, static_cast<char>('a' + expected.size() % 26));
    sink->write(bytes(part));
    expected += part;
  }
  sink->finish();
  EXPECT_EQ(content_of(fd.get()), expected);
}

TEST(FdSink, PassesOnWhatAPipeTakesInSmallParts) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  sys::UniqueFd reader(ends[0]);
  sys::UniqueFd writer(ends[1]);
  const std::string text = sample(500'000);
  std::string read;
  std::thread consumer([&] { read = sys::read_to_end(reader.get(), "pipe"); });
  const auto sink = to_fd(writer.get(), "pipe");
  sink->write(bytes(text));
  sink->finish();
  writer = sys::UniqueFd();
  consumer.join();
  EXPECT_EQ(read, text);
}

TEST(FdSink, NamesWhatIsFull) {
  if (!sys::enter_private_mounts()) GTEST_SKIP() << "a full filesystem needs the right to mount";
  const sys::TempDir directory(sys::scratch_directory());
  ASSERT_EQ(::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=64k"), 0);
  const auto path = directory.path() / "file";
  {
    const sys::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const auto sink = write_behind(compress(to_fd(fd.get(), "the layer"), Compressor::none, {}));
    const std::string part = sample(200'000);
    EXPECT_EQ(test::error_of([&] {
                for (int i = 0; i < 20; ++i)
                  sink->write(bytes(part));
                sink->finish();
              }),
              "cannot write the layer: No space left on device");
  }
  ::umount2(directory.path().c_str(), MNT_DETACH);
}

TEST(HashingSink, KnowsDigestAndSizeOnceFinished) {
  const auto fd = memory_file();
  HashingSink sink(to_fd(fd.get(), "sink"));
  sink.write(bytes("con"));
  sink.write(bytes("tent"));
  sink.finish();
  EXPECT_EQ(sink.digest(), hash::sha256("content"));
  EXPECT_EQ(sink.size(), 7U);
  EXPECT_EQ(content_of(fd.get()), "content");
}

TEST(WriteBehind, ThrowsInTheEndWhatTheSinkBelowHasThrown) {
  const std::string part(256 << 10, 'x');
  for (const int parts : {1, 2, 50}) {
    const auto sink = write_behind(std::make_unique<Limited>(part.size() / 2));
    EXPECT_EQ(test::error_of([&] {
                for (int i = 0; i < parts; ++i)
                  sink->write(bytes(part));
                sink->finish();
              }),
              "full");
  }
}

TEST(WriteBehind, EndsItsThreadWhenItIsAbandoned) {
  const auto fd = memory_file();
  {
    const auto sink = write_behind(to_fd(fd.get(), "sink"));
    sink->write(bytes(sample(1'000'000)));
  }
  { const auto unused = write_behind(to_fd(fd.get(), "sink")); }
}

TEST(Compressing, ReadsBackTheSameAtEveryLevel) {
  for (const std::size_t size : {0, 1, 300'000}) {
    const auto text = sample(size);
    EXPECT_TRUE(compressed(text, Compressor::none, {}) == text) << size;
    for (const std::optional<int> level :
         {std::optional<int>(), std::optional(0), std::optional(1), std::optional(2), std::optional(3),
          std::optional(4), std::optional(9)}) {
      const auto blob = compressed(text, Compressor::gzip, level);
      EXPECT_TRUE(decompressed_again(blob) == text) << "gzip " << level.value_or(-1) << " of " << size;
      // As Go writes it: no name, no time, unknown system.
      EXPECT_EQ(blob.substr(0, 4), std::string("\x1f\x8b\x08\0", 4));
      EXPECT_EQ(blob.substr(4, 4), std::string(4, '\0'));
      EXPECT_EQ(blob[9], '\xff');
    }
    for (const std::optional<int> level : {std::optional<int>(), std::optional(1), std::optional(12)}) {
      EXPECT_TRUE(decompressed_again(compressed(text, Compressor::zstd, level)) == text)
          << "zstd " << level.value_or(-1) << " of " << size;
    }
  }
}

TEST(Compressing, MakesHigherLevelsSmaller) {
  const auto text = sample(300'000);
  EXPECT_LT(compressed(text, Compressor::gzip, 9).size(), compressed(text, Compressor::gzip, 1).size());
  EXPECT_LT(compressed(text, Compressor::gzip, 1).size(), compressed(text, Compressor::gzip, 0).size());
  EXPECT_GT(compressed(text, Compressor::gzip, 0).size(), text.size());
}

TEST(Compressing, PassesOnTheErrorsOfTheSinkBelow) {
  for (const auto compressor : {Compressor::gzip, Compressor::zstd, Compressor::none}) {
    EXPECT_EQ(test::error_of([&] {
                const auto sink = compress(std::make_unique<Limited>(100), compressor, {});
                sink->write(bytes(sample(1'000'000)));
                sink->finish();
              }),
              "full");
  }
}

}  // namespace
}  // namespace stream
