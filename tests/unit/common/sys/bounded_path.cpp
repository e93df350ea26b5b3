// Links that lead nowhere but below a directory.
#include "common/sys/bounded_path.hpp"

#include <gtest/gtest.h>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

namespace fs = std::filesystem;
using sys::lies_in;
using sys::path_within;

class BoundedPath : public testing::Test {
protected:
  BoundedPath() {
    fs::create_directories(root_ / "below");
    fs::create_directories(elsewhere_);
    sys::write_file(root_ / "real", "");
    sys::write_file(elsewhere_ / "secret", "");
  }

  // `name` in the root, as a link to `target`.
  fs::path link(const fs::path& name, const fs::path& target) {
    fs::create_symlink(target, root_ / name);
    return root_ / name;
  }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path root_ = temp_.path() / "root";
  fs::path elsewhere_ = temp_.path() / "elsewhere";
};

TEST_F(BoundedPath, IsAsItWasGivenWhereThereIsNoLink) {
  EXPECT_EQ(path_within(root_, root_ / "below/../real"), root_ / "below/../real");
  EXPECT_EQ(path_within(root_, root_ / "absent"), std::nullopt);
  EXPECT_EQ(path_within(root_, elsewhere_ / "secret"), elsewhere_ / "secret");
  EXPECT_EQ(path_within(root_, root_ / "../elsewhere/secret"), root_ / "../elsewhere/secret");
  EXPECT_EQ(path_within(root_, temp_.path() / "absent/secret"), std::nullopt);
}

TEST_F(BoundedPath, FollowsLinksInside) {
  EXPECT_EQ(path_within(root_, link("relative", "real")), root_ / "real");
  EXPECT_EQ(path_within(root_, link("absolute", "/real")), root_ / "real");
  EXPECT_EQ(path_within(root_, link("below/up", "../real")), root_ / "real");
}

TEST_F(BoundedPath, FollowsNothingOut) {
  EXPECT_EQ(path_within(root_, link("absolute", elsewhere_ / "secret")), std::nullopt);
  EXPECT_EQ(path_within(root_, link("relative", "../elsewhere/secret")), std::nullopt);
  EXPECT_EQ(path_within(root_, link("directory", elsewhere_) / "secret"), std::nullopt);
  EXPECT_EQ(path_within(root_, link("environ", "/proc/self/environ")), std::nullopt);
  EXPECT_THROW(path_within(root_, link("loop", "loop")), util::Error);
}

TEST_F(BoundedPath, KnowsTheDirectoryByEachOfItsNames) {
  fs::create_directory_symlink(root_, temp_.path() / "alias");
  link("out", elsewhere_);
  EXPECT_TRUE(lies_in(root_, temp_.path() / "alias/out/secret"));
  EXPECT_EQ(path_within(root_, temp_.path() / "alias/out/secret"), std::nullopt);
  EXPECT_EQ(path_within(temp_.path() / "alias", root_ / "out/secret"), std::nullopt);
  EXPECT_FALSE(lies_in(root_, elsewhere_ / "secret"));
  EXPECT_FALSE(lies_in(root_, root_ / ".." / "elsewhere"));
}

TEST_F(BoundedPath, StaysInTheDirectoryOfAFileThatLiesOutside) {
  fs::create_symlink("secret", elsewhere_ / "beside");
  fs::create_symlink("../root/real", elsewhere_ / "away");
  EXPECT_EQ(path_within(root_, elsewhere_ / "beside"), elsewhere_ / "secret");
  EXPECT_EQ(path_within(root_, elsewhere_ / "away"), std::nullopt);
}

}  // namespace
