// Private mounts, and what lies below a directory.
#include "common/sys/mounts.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/in_child.hpp"

namespace {

namespace fs = std::filesystem;

TEST(MountPointsBelow, AreGivenTopmostFirstWithTheirRealNames) {
  constexpr auto mountinfo =
      "22 1 8:1 / / rw - ext4 /dev/root rw\n"
      "23 22 0:5 / /base rw - tmpfs tmpfs rw\n"
      "24 23 0:6 / /base/a\\040b rw - tmpfs tmpfs rw\n"
      "25 22 0:7 / /baseshop rw - tmpfs tmpfs rw\n"
      "26 24 0:8 / /base/a\\040b/c\\134d rw - tmpfs tmpfs rw\n";
  const std::vector<fs::path> expected = {"/base/a b/c\\d", "/base/a b", "/base"};
  EXPECT_EQ(sys::mount_points_below(mountinfo, "/base"), expected);
}

TEST(PrivateMounts, AreNotSeenOutsideAndCanBeDetached) {
  const sys::TempDir dir(fs::canonical(fs::temp_directory_path()));
  const auto code = test::in_child([&] {
    if (!sys::enter_private_mounts()) return 77;
    const auto mount_tmpfs = [](const fs::path& path) {
      fs::create_directory(path);
      return ::mount("tmpfs", path.c_str(), "tmpfs", 0, nullptr) == 0;
    };
    if (!mount_tmpfs(dir.path() / "a") || !mount_tmpfs(dir.path() / "a/b")) return 1;
    const sys::UniqueFd busy(::open((dir.path() / "a/b").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto count = [&] {
      return sys::mount_points_below(sys::read_file("/proc/self/mountinfo"), dir.path()).size();
    };
    if (count() != 2) return 2;
    sys::unmount_below(dir.path());
    if (count() != 0) return 3;
    return mount_tmpfs(dir.path() / "c") ? 0 : 4;
  });
  if (code == 77) GTEST_SKIP() << "this process may not make a mount namespace";
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(sys::mount_points_below(sys::read_file("/proc/self/mountinfo"), dir.path()).empty());
}

}  // namespace
