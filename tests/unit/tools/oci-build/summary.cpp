// The words at the end of a build.
#include "tools/oci-build/summary.hpp"

#include <gtest/gtest.h>
#include <linux/limits.h>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using oci_build::disk_size;
using oci_build::summary;

TEST(Summary, AlignsFilesOfAllTargets) {
  const auto text = summary({{"test", "test", {{"test/image.tar", 2'202'009, "sha256:1"}}},
                             {std::nullopt, "image", {{"image/digest", 71, "sha256:2"}}}},
                            {}, 1s);
  EXPECT_EQ(text,
            "test/image.tar  2.1 MiB  sha256:1\n"
            "image/digest       71 B  sha256:2\n"
            "time: in all 1.00 s");
}

TEST(Summary, LeavesNoBlanksBehindAFileWithoutNote) {
  const auto text = summary({{std::nullopt, "image", {{"image/rootfs", 5, ""}}}}, {}, 0s);
  EXPECT_EQ(text, "image/rootfs  5 B\ntime: in all 0.00 s");
}

TEST(Summary, SaysWhatWasBuiltOnly) {
  const auto text = summary({{"test", "test", {}}, {std::nullopt, "image", {}}}, {}, 0s);
  EXPECT_EQ(text,
            "no directory 'test': target 'test' was built only, nothing exported\n"
            "no directory 'image': built only, nothing exported\n"
            "time: in all 0.00 s");
}

TEST(Summary, TellsTheTimeOfEachStage) {
  EXPECT_EQ(summary({}, {{"oci-params", 4ms}, {"oci-solve", 12'345ms}}, 12'360ms),
            "time: oci-params 0.00 s, oci-solve 12.35 s, in all 12.36 s");
}

TEST(DiskSize, IsThatOfAFile) {
  const sys::TempDir dir("/tmp");
  sys::write_file(dir.path() / "file", "12345");
  EXPECT_EQ(disk_size(dir.path() / "file"), 5U);
}

TEST(DiskSize, AddsUpADirectoryWithLinksCountedOnceAndNotFollowed) {
  const sys::TempDir dir("/tmp");
  fs::create_directories(dir.path() / "a/b");
  sys::write_file(dir.path() / "a/b/file", "12345");
  sys::write_file(dir.path() / "other", "123");
  fs::create_hard_link(dir.path() / "other", dir.path() / "a/link");
  fs::create_directory_symlink("/usr", dir.path() / "a/symlink");
  EXPECT_EQ(disk_size(dir.path()), 8U);
}

TEST(DiskSize, ReachesADirectoryWhosePathIsTooLongForTheKernel) {
  const sys::TempDir dir("/tmp");
  auto root = sys::RootedDir::open(dir.path());
  std::string deep;  // not by itself, but below the other
  for (int i = 0; i < 16; ++i)
    deep += std::string(250, 'd') + "/";
  deep += std::string(70, 'd') + "/";
  const auto file = root.find_or_make_parents(deep + "file");
  sys::write_all(root.create_file(file).get(), "12345", "file");
  ASSERT_GE((dir.path() / file.str()).string().size(), std::size_t{PATH_MAX});
  EXPECT_EQ(disk_size(dir.path()), 5U);
}

TEST(DiskSize, NamesAFileThatIsNotThere) {
  EXPECT_THROW(disk_size("/absent/file"), util::Error);
}

}  // namespace
