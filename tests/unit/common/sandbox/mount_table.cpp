// Tables of mounts for steps in a plain directory.
#include "common/sandbox/mount_table.hpp"

#include <gtest/gtest.h>

namespace sandbox {
namespace {

constexpr std::string_view table =
    "20 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
    "21 20 0:5 / /proc rw,nosuid shared:3 - proc proc rw\n"
    "22 20 254:1 /volumes /scratch ro,nodev - ext4 /dev/vdb rw\n"
    "23 20 0:6 / /dev/shm rw - tmpfs tmpfs rw,size=64k\n"
    "24 20 254:1 / /scratching rw - ext4 /dev/vdc rw\n";

TEST(MountTable, ShowsTheMountThatHoldsTheRootAsTheRoot) {
  EXPECT_EQ(step_mount_info(table, "/scratch/a/b"),
            "22 20 254:1 /volumes/a/b / ro,nodev - ext4 /dev/vdb rw\n"
            "21 20 0:5 / /proc rw,nosuid shared:3 - proc proc rw\n"
            "23 20 0:6 / /dev/shm rw - tmpfs tmpfs rw,size=64k\n");
  EXPECT_TRUE(
      step_mount_info(table, "/tmp/x").starts_with("20 1 254:0 /tmp/x / rw,relatime - ext4 /dev/vda"));
}

TEST(MountTable, HasTheOlderForm) {
  EXPECT_EQ(step_mounts(table, "/scratch/a"),
            "/dev/vdb / ext4 ro,nodev 0 0\n"
            "proc /proc proc rw,nosuid 0 0\n"
            "tmpfs /dev/shm tmpfs rw,size=64k 0 0\n");
}

TEST(MountTable, ListsTheMountsOfTheStep) {
  const std::vector<StepMount> mounts = {{.target = "/a b", .read_only = true},
                                         {.kind = StepMount::Kind::tmpfs, .target = "/t", .size = 65536},
                                         {.kind = StepMount::Kind::memory_file, .target = "/run/secrets/s"}};
  const auto info = step_mount_info(table, "/scratch/a", mounts);
  EXPECT_TRUE(info.ends_with(
      "1000001 22 254:1 /volumes/a/a\\040b /a\\040b ro,nodev - ext4 /dev/vdb rw\n"
      "1000002 22 0:1000000 / /t rw,nosuid,nodev,relatime - tmpfs tmpfs rw,size=64k\n"
      "1000003 22 0:1000000 /3 /run/secrets/s ro,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=700\n"))
      << info;
  EXPECT_TRUE(step_mounts(table, "/scratch/a", mounts)
                  .ends_with("/dev/vdb /a\\040b ext4 ro,nodev 0 0\n"
                             "tmpfs /t tmpfs rw,nosuid,nodev,relatime,size=64k 0 0\n"
                             "tmpfs /run/secrets/s tmpfs ro,nosuid,nodev,noexec,relatime,mode=700 0 0\n"));
}

TEST(MountTable, PassesOverLinesThatAreNone) {
  EXPECT_EQ(step_mounts("nonsense\n\n1 2 3 4 / rw - ext4\n", "/"), "");
}

}  // namespace
}  // namespace sandbox
