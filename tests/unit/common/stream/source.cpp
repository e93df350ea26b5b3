// Plain sources, verification, reading ahead.
#include "common/stream/source.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <thread>

#include "common/hash/sha256.hpp"
#include "common/stream/read_ahead.hpp"
#include "common/stream/verified_source.hpp"
#include "tests/unit/common/stream/pieces.hpp"

namespace {

using testing_streams::in_pieces;
using testing_streams::read_in_pieces;
using testing_streams::sample;

sys::UniqueFd file_with(std::string_view content) {
  sys::UniqueFd fd(::memfd_create("content", MFD_CLOEXEC));
  sys::write_all(fd.get(), content, "content");
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const util::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Source, ReadFullStopsAtTheEnd) {
  std::array<std::byte, 8> buffer;
  auto source = in_pieces("0123456789", 3);
  EXPECT_EQ(stream::read_full(*source, buffer), 8U);
  EXPECT_EQ(stream::read_full(*source, buffer), 2U);
  EXPECT_EQ(stream::read_full(*source, buffer), 0U);
}

TEST(Source, ReadAllRefusesMoreThanTheLimit) {
  EXPECT_EQ(stream::read_all(*in_pieces("0123456789", 3), "it", 10), "0123456789");
  EXPECT_EQ(error_of([] { stream::read_all(*in_pieces("0123456789", 3), "it", 9); }),
            "it is larger than 9 B");
}

TEST(Source, SkipsByReadingAndSaysHowFarItCame) {
  auto source = in_pieces(sample(200'000), 1000);
  EXPECT_EQ(source->skip(150'000), 150'000U);
  EXPECT_EQ(source->skip(150'000), 50'000U);
}

TEST(FdSource, ReadsFromTheCurrentPosition) {
  auto fd = file_with("0123456789");
  ::lseek(fd.get(), 4, SEEK_SET);
  EXPECT_EQ(read_in_pieces(*stream::from_fd(std::move(fd), "it"), 3), "456789");
}

TEST(FdSource, ReadsAPipeToItsEnd) {
  auto pipe = sys::make_pipe();
  std::thread writer([&] {
    sys::write_all(pipe.write_end.get(), sample(300'000), "pipe");
    pipe.write_end = sys::UniqueFd();
  });
  EXPECT_EQ(read_in_pieces(*stream::from_fd(std::move(pipe.read_end), "pipe"), 10'000), sample(300'000));
  writer.join();
}

TEST(RangeSource, SharesADescriptorWithOthers) {
  const auto fd = std::make_shared<const sys::UniqueFd>(file_with("0123456789"));
  auto first = stream::from_range(fd, 0, 4, "it");
  auto second = stream::from_range(fd, 5, 5, "it");
  EXPECT_EQ(first->skip(1), 1U);
  EXPECT_EQ(read_in_pieces(*second, 2), "56789");
  EXPECT_EQ(read_in_pieces(*first, 2), "123");
  EXPECT_EQ(first->skip(1), 0U);
}

TEST(RangeSource, IsAnErrorWhenTheFileEndsFirst) {
  const auto fd = std::make_shared<const sys::UniqueFd>(file_with("0123"));
  EXPECT_EQ(error_of([&] { read_in_pieces(*stream::from_range(fd, 2, 4, "it"), 100); }),
            "it ends 2 B too early");
}

TEST(Verified, PassesWhatHasTheDigestAndTheSize) {
  const auto digest = hash::sha256("content");
  EXPECT_EQ(read_in_pieces(*stream::verified(in_pieces("content", 3), digest, 7, "it"), 2), "content");
  EXPECT_EQ(read_in_pieces(*stream::verified(in_pieces("content", 3), digest, std::nullopt, "it"), 2),
            "content");
}

TEST(Verified, RefusesAnotherDigest) {
  const auto digest = hash::sha256("content");
  EXPECT_EQ(error_of([&] { stream::drain(*stream::verified(in_pieces("CONTENT", 3), digest, 7, "it")); }),
            "it is damaged: its digest is " + hash::sha256("CONTENT").str() + ", not " + digest.str());
}

TEST(Verified, RefusesMoreAndFewerBytes) {
  const auto digest = hash::sha256("content");
  for (const std::uint64_t size : {6U, 8U}) {
    EXPECT_EQ(
        error_of([&] { stream::drain(*stream::verified(in_pieces("content", 3), digest, size, "it")); }),
        "it is damaged: its size is not " + std::to_string(size) + " bytes");
  }
}

TEST(ReadAhead, GivesTheSameBytes) {
  const auto content = sample(3'000'000);
  for (const std::size_t piece : {997U, 1U << 18, 1U << 22}) {
    EXPECT_EQ(read_in_pieces(*stream::read_ahead(in_pieces(content, 100'000)), piece), content);
  }
}

TEST(ReadAhead, EndsForGood) {
  auto source = stream::read_ahead(in_pieces("x", 1));
  std::array<std::byte, 4> buffer;
  EXPECT_EQ(source->read(buffer), 1U);
  EXPECT_EQ(source->read(buffer), 0U);
  EXPECT_EQ(source->read(buffer), 0U);
}

TEST(ReadAhead, ThrowsWhatTheInnerSourceThrewBehindTheLastGoodByte) {
  auto source = stream::read_ahead(in_pieces(sample(700'000), 1000, "disk on fire"));
  std::string seen(700'000, '\0');
  EXPECT_EQ(stream::read_full(*source, std::as_writable_bytes(std::span(seen))), seen.size());
  EXPECT_EQ(seen, sample(700'000));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(error_of([&] { read_in_pieces(*source, 10); }), "disk on fire");
  }
}

TEST(ReadAhead, MayBeGivenUpAtAnyTime) {
  for (int reads = 0; reads < 3; ++reads) {
    auto source = stream::read_ahead(in_pieces(sample(5'000'000), 4096));
    std::array<std::byte, 100> buffer;
    for (int i = 0; i < reads; ++i)
      EXPECT_EQ(source->read(buffer), buffer.size());
  }
}

}  // namespace
