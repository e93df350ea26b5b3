#include "common/sys/file_state.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace sys {
namespace {

class FileStateTest : public testing::Test {
protected:
  FileStateTest() { write_file(path_, "content"); }

  UniqueFd open_file(int flags) const { return UniqueFd(::open(path_.c_str(), flags | O_CLOEXEC)); }

  static struct stat status(const UniqueFd& fd) {
    struct stat status = {};
    EXPECT_EQ(::fstat(fd.get(), &status), 0);
    return status;
  }

  bool is_settled() const {
    const auto fd = open_file(O_RDONLY);
    const auto now = status(fd);
    while (!is_past(now.st_ctim)) {}
    return sys::is_settled(fd.get(), now);
  }

  TempDir temp_{std::filesystem::temp_directory_path()};
  std::filesystem::path path_ = temp_.path() / "file";
};

TEST_F(FileStateTest, IsSettledOnceTheClockHasGoneOn) {
  EXPECT_TRUE(is_settled());
  const auto fd = open_file(O_RDONLY);
  auto now = status(fd);
  ::clock_gettime(CLOCK_REALTIME, &now.st_ctim);
  now.st_ctim.tv_sec += 3600;
  EXPECT_FALSE(sys::is_settled(fd.get(), now));
}

TEST_F(FileStateTest, IsNotSettledWhereTimesAreWholeSeconds) {
  const auto fd = open_file(O_RDONLY);
  auto now = status(fd);
  now.st_ctim = {.tv_sec = now.st_ctim.tv_sec - 10, .tv_nsec = 0};
  EXPECT_FALSE(sys::is_settled(fd.get(), now));
}

TEST_F(FileStateTest, IsNotSettledWhileSomebodyHasTheFileOpenForWriting) {
  {
    const auto writer = open_file(O_WRONLY);
    EXPECT_FALSE(is_settled());
  }
  EXPECT_TRUE(is_settled());
}

// A page that is changed a second time changes no time of the file.
TEST_F(FileStateTest, IsNotSettledWhileSomebodyHasMappedTheFileForWriting) {
  if (const auto fd = open_file(O_RDONLY); !tells_changes(fd.get()))
    return;  // such as overlays: never sealed
  auto writer = open_file(O_RDWR);
  void* mapping = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
  ASSERT_NE(mapping, MAP_FAILED);
  writer = UniqueFd();
  EXPECT_FALSE(is_settled());
  ::munmap(mapping, 4096);
  EXPECT_TRUE(is_settled());
}

TEST_F(FileStateTest, ChangesWithTheBytesWhateverIsSetAfterwards) {
  const auto before = status(open_file(O_RDONLY));
  while (!is_past(before.st_ctim)) {}
  write_all(open_file(O_WRONLY).get(), "CONTENT", "file");
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  const auto after = status(open_file(O_RDONLY));
  EXPECT_EQ(nanoseconds_of(after.st_mtim), nanoseconds_of(before.st_mtim));
  EXPECT_NE(FileState::of(after), FileState::of(before));
}

// Files of processes: the kernel's own, whose times tell nothing.
TEST_F(FileStateTest, TellsNothingOnOtherFileSystems) {
  EXPECT_FALSE(tells_changes(UniqueFd(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)).get()));
}

}  // namespace
}  // namespace sys
