// Temporary directories.
#include "common/sys/temp_dir.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"

namespace {

namespace fs = std::filesystem;

TEST(TempDir, IsForItsOwnerAlone) {
  const sys::TempDir dir(fs::temp_directory_path());
  struct stat status;
  ASSERT_EQ(::stat(dir.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
}

TEST(TempDir, GoesAwayWithAllItHolds) {
  std::optional<sys::TempDir> dir(std::in_place, fs::temp_directory_path());
  const auto path = dir->path();
  fs::create_directories(path / "a/b");
  sys::write_file(path / "a/b/f", "x");
  dir.reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST(TempDir, IsRemovedOnceAfterAMove) {
  sys::TempDir first(fs::temp_directory_path());
  const auto path = first.path();
  {
    const sys::TempDir second(std::move(first));
    EXPECT_EQ(second.path(), path);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TempDir, StaysWhenReleased) {
  fs::path path;
  {
    sys::TempDir dir(fs::temp_directory_path());
    path = dir.release();
  }
  EXPECT_TRUE(fs::exists(path));
  sys::remove_tree(path);
}

TEST(TempDir, NamesTheParentThatIsMissing) {
  try {
    const sys::TempDir dir("/absent");
    FAIL() << "nothing was thrown";
  } catch (const util::Error& error) {
    EXPECT_STREQ(error.what(), "cannot make a directory in '/absent': No such file or directory");
  }
}

TEST(ScratchDirectory, FollowsTmpdirWhereConcourseGivesNone) {
  if (fs::exists("/scratch")) GTEST_SKIP() << "this machine has a /scratch";
  const char* before = std::getenv("TMPDIR");
  const std::string saved = before != nullptr ? before : "";
  ::setenv("TMPDIR", "/var/tmp", 1);
  EXPECT_EQ(sys::scratch_directory(), "/var/tmp");
  ::setenv("TMPDIR", "", 1);
  EXPECT_EQ(sys::scratch_directory(), "/tmp");
  ::unsetenv("TMPDIR");
  EXPECT_EQ(sys::scratch_directory(), "/tmp");
  if (before != nullptr) ::setenv("TMPDIR", saved.c_str(), 1);
}

}  // namespace
