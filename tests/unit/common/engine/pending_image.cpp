// Output directories before and after an image arrives.
#include "common/engine/pending_image.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace {

namespace fs = std::filesystem;
using document::OutputFormat;
using engine::PendingImage;

class PendingImageTest : public testing::Test {
protected:
  const fs::path& dir() const { return dir_.path(); }
  bool is_empty() const { return fs::is_empty(dir()); }

private:
  sys::TempDir dir_{fs::temp_directory_path()};
};

TEST_F(PendingImageTest, LeavesNothingWithoutCommit) {
  {
    const PendingImage archive(dir(), OutputFormat::docker);
    const PendingImage layout(dir(), OutputFormat::oci);
    EXPECT_FALSE(fs::exists(dir() / "image.tar"));
    EXPECT_FALSE(fs::exists(dir() / "image"));
  }
  EXPECT_TRUE(is_empty());
}

TEST_F(PendingImageTest, BecomesAnArchiveThatAllMayRead) {
  PendingImage image(dir(), OutputFormat::docker);
  EXPECT_EQ(image.commit(), dir() / "image.tar");
  struct stat status;
  ASSERT_EQ(::stat((dir() / "image.tar").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
}

TEST_F(PendingImageTest, BecomesALayoutDirectoryThatAllMayRead) {
  PendingImage image(dir(), OutputFormat::oci);
  sys::write_file(image.destination() / "index.json", "{}");
  EXPECT_EQ(image.commit(), dir() / "image");
  EXPECT_TRUE(fs::exists(dir() / "image/index.json"));
  struct stat status;
  ASSERT_EQ(::stat((dir() / "image").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755U);
}

TEST_F(PendingImageTest, ReplacesTheImageOfAnEarlierBuildInEitherFormat) {
  sys::write_file(dir() / "image.tar", "old");
  fs::create_directory(dir() / "image");
  sys::write_file(dir() / "image/old", "old");
  {
    PendingImage image(dir(), OutputFormat::oci);
    sys::write_file(image.destination() / "index.json", "{}");
    image.commit();
  }
  EXPECT_FALSE(fs::exists(dir() / "image.tar"));
  EXPECT_FALSE(fs::exists(dir() / "image/old"));
  EXPECT_TRUE(fs::exists(dir() / "image/index.json"));
  {
    PendingImage image(dir(), OutputFormat::docker);
    image.commit();
  }
  EXPECT_FALSE(fs::exists(dir() / "image"));
  EXPECT_EQ(std::distance(fs::directory_iterator(dir()), fs::directory_iterator()), 1);
}

}  // namespace
