// Trees on top of each other.
#include "common/layer/merged.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/sys/file.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"

namespace layer {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class MergedTrees : public testing::Test {
protected:
  // The next tree from below.
  fs::path add() {
    trees_.push_back(directory_.path() / std::to_string(trees_.size()));
    fs::create_directory(trees_.back());
    return trees_.back();
  }

  std::unique_ptr<ChangeSet> read() const {
    std::vector<std::unique_ptr<ChangeSet>> trees;
    for (const auto& tree : trees_)
      trees.push_back(directory_changes(tree));
    return merged(std::move(trees));
  }

  static std::string content(const ChangeSet& tree, const std::string& path) {
    return sys::read_to_end(tree.open(path).get(), path);
  }

  static void put(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    sys::write_file(path, text);
  }

  static void remove(const fs::path& path) {
    fs::create_directories(path.parent_path());
    auto root = sys::RootedDir::open(path.parent_path());
    root.make_whiteout(*root.find(path.filename().string()));
  }

  sys::TempDir directory_{fs::temp_directory_path()};
  std::vector<fs::path> trees_;
};

TEST_F(MergedTrees, ShowTheTopmostOfEachName) {
  const auto low = add();
  put(low / "d/low", "low");
  put(low / "d/both", "low");
  const auto high = add();
  put(high / "d/both", "high");
  put(high / "d/high", "high");
  const auto tree = read();
  EXPECT_EQ(tree->list("d"), (Names{"both", "high", "low"}));
  EXPECT_EQ(content(*tree, "d/both"), "high");
  EXPECT_EQ(content(*tree, "d/low"), "low");
  EXPECT_EQ(tree->list(""), (Names{"d"}));
  EXPECT_FALSE(tree->status("d/none"));
  EXPECT_FALSE(tree->status("none/none"));
  EXPECT_TRUE(S_ISDIR(tree->status("")->st_mode));
}

TEST_F(MergedTrees, HideWhatAWhiteoutRemoves) {
  const auto low = add();
  put(low / "d/file", "low");
  put(low / "d/other", "low");
  put(low / "gone/file", "low");
  const auto middle = add();
  remove(middle / "d/file");
  remove(middle / "gone");
  EXPECT_EQ(read()->list("d"), Names{"other"});
  EXPECT_FALSE(read()->status("gone/file"));
  EXPECT_EQ(read()->list(""), Names{"d"});
  const auto high = add();
  put(high / "gone/new", "high");
  EXPECT_EQ(read()->list("gone"), Names{"new"});
  EXPECT_FALSE(read()->status("gone/file"));
}

TEST_F(MergedTrees, TakeTheKernelsWhiteoutsAsWell) {
  if (::geteuid() != 0) GTEST_SKIP() << "opaque directories are marked by root";
  const auto low = add();
  put(low / "file", "low");
  put(low / "d/file", "low");
  const auto high = add();
  ASSERT_EQ(::mknod((high / "file").c_str(), S_IFCHR, ::makedev(0, 0)), 0);
  put(high / "d/new", "high");
  ASSERT_EQ(::setxattr((high / "d").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  EXPECT_EQ(read()->list(""), Names{"d"});
  EXPECT_EQ(read()->list("d"), Names{"new"});
  EXPECT_FALSE(read()->status("d/file"));
  EXPECT_FALSE(read()->is_opaque("d"));
}

TEST_F(MergedTrees, LetNothingShowThroughWhatIsNoDirectory) {
  put(add() / "d/file", "low");
  put(add() / "d", "a file");
  EXPECT_FALSE(read()->status("d/file"));
  EXPECT_EQ(content(*read(), "d"), "a file");
  put(add() / "d/new", "high");
  EXPECT_EQ(read()->list("d"), Names{"new"});
  const auto link = add();
  fs::create_symlink("elsewhere", link / "d");
  EXPECT_EQ(read()->read_link("d"), "elsewhere");
  EXPECT_FALSE(read()->status("d/new"));
}

TEST_F(MergedTrees, AnswerInAnyOrder) {
  put(add() / "a/b/c", "1");
  put(add() / "a/bb/c", "2");
  const auto tree = read();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(content(*tree, "a/bb/c"), "2");
    EXPECT_EQ(content(*tree, "a/b/c"), "1");
    EXPECT_FALSE(tree->status("a/b/c/d"));
    EXPECT_EQ(tree->list("a"), (Names{"b", "bb"}));
  }
  EXPECT_NE(test::error_of([&] { tree->open("a/none"); }), "");
}

}  // namespace
}  // namespace layer
