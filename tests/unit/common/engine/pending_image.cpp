// Output directories before and after an image arrives.
#include "common/engine/pending_image.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/killed_at_call.hpp"

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

TEST_F(PendingImageTest, LeavesNoDigestsOfAnotherImage) {
  for (const auto format : {OutputFormat::docker, OutputFormat::oci}) {
    sys::write_file(dir() / "digest", "old");
    sys::write_file(dir() / "manifest-digest", "old");
    PendingImage image(dir(), format);
    EXPECT_TRUE(fs::exists(dir() / "digest"));
    image.commit();
    EXPECT_FALSE(fs::exists(dir() / "digest"));
    EXPECT_FALSE(fs::exists(dir() / "manifest-digest"));
  }
}

TEST_F(PendingImageTest, TakesADirectoryOfSuchANameForSomebodyElses) {
  fs::create_directory(dir() / "digest");
  PendingImage(dir(), OutputFormat::docker).commit();
  EXPECT_TRUE(fs::is_directory(dir() / "digest"));
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

// As oci-solve works without `build`.
TEST_F(PendingImageTest, KilledAtAnyCallLeavesNothingToTheNextOfEitherFormat) {
  const auto write = [&](OutputFormat format) {
    PendingImage image(dir(), format);
    // In place, as the engines write an archive: sys::write_file would leave a file of its own beside it.
    std::ofstream(format == OutputFormat::oci ? image.destination() / "index.json" : image.destination())
        << "new";
    image.commit();
  };
  for (const auto killed : {OutputFormat::docker, OutputFormat::oci}) {
    for (const auto next : {OutputFormat::docker, OutputFormat::oci}) {
      const auto* place = next == OutputFormat::oci ? "image" : "image.tar";
      const auto kill_at = [&](int number) {
        return test::killed_at_call(number, [&] {
          test::count_calls_from_here();
          write(killed);
        });
      };
      for (int number = 1; kill_at(number); ++number) {
        write(next);
        for (const auto& entry : fs::directory_iterator(dir()))
          EXPECT_EQ(entry.path().filename(), place) << "killed at call " << number;
        if (HasFailure()) return;
      }
      sys::remove_tree(dir() / "image");
    }
  }
}

TEST_F(PendingImageTest, SparesThoseOfBuildsThatLive) {
  PendingImage archive(dir(), OutputFormat::docker);
  const PendingImage layout(dir(), OutputFormat::oci);
  const PendingImage next(dir(), OutputFormat::docker);
  EXPECT_TRUE(fs::exists(layout.destination()));
  archive.commit();
  EXPECT_TRUE(fs::exists(dir() / "image.tar"));
}

}  // namespace
