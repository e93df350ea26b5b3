#include "common/sys/disk_use.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/deep_tree.hpp"
#include "tests/support/in_child.hpp"

namespace sys {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t size = 1 << 20;

class DiskUseTest : public testing::Test {
protected:
  static void fill(const fs::path& file) { write_file(file, std::string(size, 'x')); }

  TempDir temp_{fs::temp_directory_path()};
  const fs::path& top_ = temp_.path();
};

TEST_F(DiskUseTest, IsOfAllFilesAndDirectories) {
  EXPECT_LT(disk_use(top_), size / 2);
  fs::create_directories(top_ / "a/b");
  fill(top_ / "a/one");
  fill(top_ / "a/b/two");
  EXPECT_GE(disk_use(top_), 2 * size);
  EXPECT_LT(disk_use(top_), 3 * size);
  EXPECT_EQ(disk_use(top_ / "nothing"), 0);
  EXPECT_EQ(disk_use(top_ / "a/one"), 0);
}

TEST_F(DiskUseTest, CountsAFileOfSeveralNamesOnceAndFollowsNoLink) {
  fs::create_directory(top_ / "in");
  fs::create_directory(top_ / "out");
  fill(top_ / "in/one");
  fs::create_hard_link(top_ / "in/one", top_ / "in/two");
  fill(top_ / "out/file");
  fs::create_directory_symlink(top_ / "out", top_ / "in/link");
  fs::create_symlink(top_ / "out/file", top_ / "in/file");
  EXPECT_LT(disk_use(top_ / "in"), size + size / 2);
}

TEST_F(DiskUseTest, IsOfWhatIsDeeperThanAnyPath) {
  fs::create_directory(top_ / "root");
  test::make_too_deep(top_ / "root");
  EXPECT_GT(disk_use(top_ / "root"), 0);
}

TEST_F(DiskUseTest, EndsWhenItIsToldTo) {
  fill(top_ / "file");
  Canceller canceller;
  canceller.cancel();
  EXPECT_THROW(disk_use(top_, canceller.cancellation()), util::Error);
}

TEST_F(DiskUseTest, LeavesOutWhatIsMountedThereAndKnowsWhenADiskIsFull) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts";
  fs::create_directory(top_ / "disk");
  EXPECT_EQ(test::in_child([&] {
              const auto disk = top_ / "disk";
              if (::unshare(CLONE_NEWNS) != 0 ||
                  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                  ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=3M") != 0)
                return 1;
              const auto room = room_on_disk(disk);
              if (!room || room->size != 3 * size || room->is_full || room->is_read_only) return 2;
              fill(disk / "one");
              fill(disk / "two");
              write_file(disk / "three", "x");
              if (disk_use(top_) > size || disk_use(disk) < 2 * size) return 3;
              return room_on_disk(disk)->is_full ? 0 : 4;
            }),
            0);
}

}  // namespace
}  // namespace sys
