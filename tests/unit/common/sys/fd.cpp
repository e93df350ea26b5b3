// Descriptors: one owner, complete reads and writes.
#include "common/sys/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"

namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, ClosesWhatItOwnsWhenAnotherIsAssigned) {
  auto pipe = sys::make_pipe();
  const int first = pipe.read_end.get();
  pipe.read_end = sys::UniqueFd();
  EXPECT_FALSE(is_open(first));
}

TEST(UniqueFd, LeavesNothingToCloseAfterAMove) {
  auto pipe = sys::make_pipe();
  const int fd = pipe.read_end.get();
  const sys::UniqueFd owner(std::move(pipe.read_end));
  EXPECT_FALSE(pipe.read_end);
  EXPECT_EQ(owner.get(), fd);
  EXPECT_TRUE(is_open(fd));
}

TEST(UniqueFd, GivesUpOwnershipOnRelease) {
  auto pipe = sys::make_pipe();
  const int fd = pipe.read_end.release();
  pipe.read_end = sys::UniqueFd();
  EXPECT_TRUE(is_open(fd));
  ::close(fd);
}

TEST(Pipe, IsClosedAtExec) {
  const auto pipe = sys::make_pipe();
  EXPECT_EQ(::fcntl(pipe.read_end.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(pipe.write_end.get(), F_GETFD), FD_CLOEXEC);
}

TEST(WriteAll, WritesMoreThanAPipeHolds) {
  auto pipe = sys::make_pipe();
  const std::string text(1 << 20, 'x');
  std::thread writer([&] {
    sys::write_all(pipe.write_end.get(), text, "the pipe");
    pipe.write_end = sys::UniqueFd();
  });
  const auto read = sys::read_to_end(pipe.read_end.get(), "the pipe");
  writer.join();
  EXPECT_EQ(read.size(), text.size());
}

TEST(WriteAll, NamesTheFileWhenTheDiskIsFull) {
  const sys::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  try {
    sys::write_all(full.get(), std::string_view("x"), "'image.tar'");
    FAIL() << "nothing was thrown";
  } catch (const util::Error& error) {
    EXPECT_STREQ(error.what(), "cannot write 'image.tar': No space left on device");
  }
}

TEST(ReadSomeAt, ReadsAtTheOffsetAndLeavesThePositionAlone) {
  const auto fd = sys::make_memory_file("0123456789", "text");
  std::array<std::byte, 4> buffer;
  ASSERT_EQ(sys::read_some_at(fd.get(), buffer, 8, "text"), 2U);
  EXPECT_EQ(static_cast<char>(buffer[0]), '8');
  EXPECT_EQ(sys::read_to_end(fd.get(), "text"), "0123456789");
}

TEST(MemoryFile, IsReadThroughItsPathInProc) {
  const auto fd = sys::make_memory_file("a key", "the key");
  const auto path = "/proc/self/fd/" + std::to_string(fd.get());
  EXPECT_EQ(sys::read_file(path), "a key");
  EXPECT_EQ(sys::read_file(path), "a key");
}

TEST(WaitForLock, HasTheLockWhenAnotherGivesItUp) {
  const sys::TempDir directory(testing::TempDir());
  const auto open = [&] { return sys::UniqueFd(::open(directory.path().c_str(), O_RDONLY | O_CLOEXEC)); };
  auto first = open();
  ASSERT_TRUE(sys::wait_for_lock(first.get()));
  const auto second = open();
  const std::jthread other([&] { first = sys::UniqueFd(); });
  EXPECT_TRUE(sys::wait_for_lock(second.get()));
}

TEST(WaitForLock, EndsWithASignal) {
  const sys::TempDir directory(testing::TempDir());
  const auto open = [&] { return sys::UniqueFd(::open(directory.path().c_str(), O_RDONLY | O_CLOEXEC)); };
  const auto first = open();
  ASSERT_TRUE(sys::wait_for_lock(first.get()));
  EXPECT_EQ(test::in_child([&] {
              sys::cancel_on_signals();
              std::raise(SIGTERM);
              try {
                sys::wait_for_lock(open().get());
              } catch (const util::Error& error) {
                return error.exit_code();
              }
              return 0;
            }),
            128 + SIGTERM);
}

}  // namespace
