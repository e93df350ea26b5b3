// Staging and publishing of output directories.
#include "tools/oci-build/outputs.hpp"

#include <gtest/gtest.h>
#include <sys/file.h>

#include <optional>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"

namespace {

namespace fs = std::filesystem;
using oci_build::Outputs;

class OutputsTest : public testing::Test {
protected:
  fs::path make_directory(const std::string& name) {
    fs::create_directories(top.path() / name);
    return top.path() / name;
  }
  std::string content_of(const std::string& name) { return sys::read_file(top.path() / name); }
  std::vector<std::string> entries_of(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(top.path() / name))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string refusal_of(const fs::path& directory) {
    Outputs outputs;
    try {
      outputs.stage(directory);
    } catch (const util::Error& error) {
      return error.what();
    }
    return "";
  }

  sys::TempDir top{"/tmp"};
};

using Names = std::vector<std::string>;

TEST_F(OutputsTest, PublishesWhatWasStagedAndRemovesTheStaging) {
  const auto image = make_directory("image");
  {
    Outputs outputs;
    const auto staging = outputs.stage(image);
    sys::write_file(staging / "image.tar", "tar");
    sys::write_file(staging / "digest", "sha256:1");
    EXPECT_FALSE(fs::exists(image / "image.tar"));
    outputs.publish();
    EXPECT_EQ(content_of("image/image.tar"), "tar");
  }
  EXPECT_EQ(entries_of("image"), (Names{"digest", "image.tar"}));
}

TEST_F(OutputsTest, LeavesNothingOfABuildThatDidNotPublish) {
  const auto image = make_directory("image");
  sys::write_file(image / "digest", "old");
  {
    Outputs outputs;
    sys::write_file(outputs.stage(image) / "digest", "new");
  }
  EXPECT_EQ(entries_of("image"), (Names{"digest"}));
  EXPECT_EQ(content_of("image/digest"), "old");
}

TEST_F(OutputsTest, ReplacesFilesAndDirectoriesOfAnEarlierBuild) {
  const auto image = make_directory("image");
  make_directory("image/rootfs/old");
  sys::write_file(image / "metadata.json", "old");
  {
    Outputs outputs;
    const auto staging = outputs.stage(image);
    fs::create_directories(staging / "rootfs/new");
    sys::write_file(staging / "metadata.json", "new");
    outputs.publish();
  }
  EXPECT_EQ(entries_of("image"), (Names{"metadata.json", "rootfs"}));
  EXPECT_EQ(entries_of("image/rootfs"), (Names{"new"}));
  EXPECT_EQ(content_of("image/metadata.json"), "new");
}

TEST_F(OutputsTest, RemovesWhatAnEarlierBuildLeftAndThisOneDoesNotMake) {
  const auto image = make_directory("image");
  make_directory("image/image");
  sys::write_file(image / "image/oci-layout", "{}");
  {
    Outputs outputs;
    sys::write_file(outputs.stage(image) / "image.tar", "tar");
    outputs.publish();
  }
  EXPECT_EQ(entries_of("image"), (Names{"image.tar"}));
}

TEST_F(OutputsTest, KeepsFilesOfOtherNames) {
  const auto image = make_directory("image");
  sys::write_file(image / "tag", "1.0");
  {
    Outputs outputs;
    sys::write_file(outputs.stage(image) / "digest", "new");
    outputs.publish();
  }
  EXPECT_EQ(entries_of("image"), (Names{"digest", "tag"}));
}

TEST_F(OutputsTest, PutsEverythingBackWhenOneDirectoryCannotBePublished) {
  const auto first = make_directory("first");
  const auto second = make_directory("second");
  sys::write_file(first / "digest", "old");
  sys::write_file(second / "digest", "old");
  {
    Outputs outputs;
    sys::write_file(outputs.stage(first) / "digest", "new");
    const auto staging = outputs.stage(second);
    sys::write_file(staging / "digest", "new");
    sys::write_file(staging / "replaced", "in the way");
    EXPECT_THROW(outputs.publish(), util::Error);
  }
  EXPECT_EQ(entries_of("first"), (Names{"digest"}));
  EXPECT_EQ(content_of("first/digest"), "old");
  EXPECT_EQ(entries_of("second"), (Names{"digest"}));
  EXPECT_EQ(content_of("second/digest"), "old");
}

TEST_F(OutputsTest, RemovesTheStagingOfABuildThatWasKilled) {
  const auto image = make_directory("image");
  make_directory("image/.oci-build-abc123/rootfs");
  Outputs outputs;
  outputs.stage(image);
  EXPECT_FALSE(fs::exists(image / ".oci-build-abc123"));
}

TEST_F(OutputsTest, SparesTheStagingOfABuildThatStillRuns) {
  const auto image = make_directory("image");
  Outputs running;
  const auto staging = running.stage(image);
  Outputs other;
  other.stage(image);
  EXPECT_TRUE(fs::exists(staging));
}

TEST_F(OutputsTest, RefusesOneDirectoryForTwoTargets) {
  const auto image = make_directory("image");
  Outputs outputs;
  outputs.stage(image);
  EXPECT_THROW(outputs.stage(top.path() / "image/../image"), util::Error);
}

TEST_F(OutputsTest, RefusesToReplaceADirectoryThatNoBuildMade) {
  const auto target = make_directory("web");
  make_directory("web/image/sources");
  EXPECT_EQ(refusal_of(target), "cannot export to '" + target.string() + "': '" + target.string() +
                                    "/image' was not made by a build and would be replaced; move it away");
  EXPECT_EQ(entries_of("web"), (Names{"image"}));
}

TEST_F(OutputsTest, RefusesToReplaceADirectoryByAFile) {
  make_directory("image/digest");
  EXPECT_NE(refusal_of(top.path() / "image").find("is a directory"), std::string::npos);
}

TEST_F(OutputsTest, ReplacesAnEmptyDirectory) {
  make_directory("image/rootfs");
  EXPECT_EQ(refusal_of(top.path() / "image"), "");
}

TEST_F(OutputsTest, NamesADirectoryThatIsNotThere) {
  const auto absent = top.path() / "absent";
  EXPECT_EQ(refusal_of(absent), "cannot export to '" + absent.string() + "': cannot resolve '" +
                                    absent.string() + "': No such file or directory");
}

TEST_F(OutputsTest, PublishesADirectoryThatItsOwnerCannotWrite) {
  const auto image = make_directory("image");
  {
    Outputs outputs;
    const auto staging = outputs.stage(image);
    fs::create_directory(staging / "rootfs");
    fs::permissions(staging / "rootfs", fs::perms(0555));
    outputs.publish();
  }
  EXPECT_EQ(fs::status(image / "rootfs").permissions(), fs::perms(0555));
}

}  // namespace
