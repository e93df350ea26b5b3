// Mount points that leave no trace.
#include "common/sandbox/mount_points.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

class MountPointsOfAStep : public testing::Test {
protected:
  fs::path root() const { return directory_.path(); }

  sys::TempDir directory_{fs::temp_directory_path()};
};

TEST_F(MountPointsOfAStep, GoWithTheParentsMadeForThem) {
  MountPoints points(root(), {"/deep/er/point", "/run/secrets/token"});
  fs::create_directories(root() / "deep/er/point");
  fs::create_directories(root() / "run/secrets");
  sys::write_file(root() / "run/secrets/token", "");
  points.remove();
  EXPECT_TRUE(fs::is_empty(root()));
}

// Each of its prefixes would be one that is missing.
TEST_F(MountPointsOfAStep, AreNoLongerThanAPathCanBe) {
  std::string target;
  for (int i = 0; i < 30'000; ++i)
    target += "/d";
  EXPECT_NE(test::error_of([&] { MountPoints(root(), {target}); }).find("more than Linux can use"),
            std::string::npos);
}

TEST_F(MountPointsOfAStep, StayWhenTheyWereThereBefore) {
  fs::create_directories(root() / "there");
  MountPoints points(root(), {"/there"});
  points.remove();
  EXPECT_TRUE(fs::exists(root() / "there"));
}

TEST_F(MountPointsOfAStep, StayWhenTheStepPutSomethingThere) {
  MountPoints points(root(), {"/made/point", "/file"});
  fs::create_directories(root() / "made/point");
  sys::write_file(root() / "made/kept", "kept");
  sys::write_file(root() / "file", "kept");
  points.remove();
  EXPECT_FALSE(fs::exists(root() / "made/point"));
  EXPECT_TRUE(fs::exists(root() / "made/kept"));
  EXPECT_TRUE(fs::exists(root() / "file"));
}

TEST_F(MountPointsOfAStep, LeaveTheTimesOfTheirParentsAsTheyGo) {
  fs::create_directory(root() / "parent");
  MountPoints points(root(), {"/parent/point"});
  fs::create_directory(root() / "parent/point");
  const timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root() / "parent").c_str(), times, 0), 0);
  points.remove();
  struct stat status;
  ASSERT_EQ(::stat((root() / "parent").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1000);
}

TEST_F(MountPointsOfAStep, AreFoundBehindLinksOfTheRootAndNeverOutsideOfIt) {
  const sys::TempDir outside(fs::temp_directory_path());
  fs::create_directory(root() / "real");
  fs::create_symlink("/real", root() / "link");
  fs::create_symlink(outside.path(), root() / "escape");
  MountPoints points(root(), {"/link/point", "/escape/point"});
  fs::create_directory(root() / "real/point");
  fs::create_directory(outside.path() / "point");
  points.remove();
  EXPECT_FALSE(fs::exists(root() / "real/point"));
  EXPECT_TRUE(fs::exists(outside.path() / "point"));
}

}  // namespace
}  // namespace sandbox
