#include "common/sys/remove_tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"

namespace {

class RemoveTree : public testing::Test {
protected:
  sys::TempDir temp_{std::filesystem::temp_directory_path()};
  std::filesystem::path tree_ = temp_.path() / "tree";
};

// A chain of directories: `depth` times `name` below `top`.
void make_chain(const std::filesystem::path& top, int depth, const std::string& name = "d") {
  std::filesystem::create_directory(top);
  sys::UniqueFd fd(::open(top.c_str(), O_PATH));
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(::mkdirat(fd.get(), name.c_str(), 0755), 0);
    fd = sys::UniqueFd(::openat(fd.get(), name.c_str(), O_PATH));
    ASSERT_TRUE(fd);
  }
}

}  // namespace

TEST_F(RemoveTree, RemovesFilesLinksAndDirectories) {
  std::filesystem::create_directories(tree_ / "a/b/c");
  sys::write_file(tree_ / "a/file", "x");
  sys::write_file(temp_.path() / "outside", "x");
  std::filesystem::create_symlink(temp_.path() / "outside", tree_ / "a/link");
  std::filesystem::create_directory_symlink(temp_.path(), tree_ / "a/b/up");
  sys::remove_tree(tree_);
  EXPECT_FALSE(std::filesystem::exists(tree_));
  EXPECT_TRUE(std::filesystem::exists(temp_.path() / "outside"));
}

TEST_F(RemoveTree, RemovesASingleFileOrLinkAndNothingAtAll) {
  sys::write_file(tree_, "x");
  sys::remove_tree(tree_);
  EXPECT_FALSE(std::filesystem::exists(tree_));
  sys::remove_tree(tree_);
  sys::remove_tree(tree_ / "absent" / "below");
  std::filesystem::create_directory_symlink(temp_.path(), tree_);
  sys::remove_tree(tree_);
  EXPECT_TRUE(std::filesystem::exists(temp_.path()));
}

TEST_F(RemoveTree, TakesAnyDepthWithFewDescriptors) {
  make_chain(tree_, 400);
  make_chain(tree_ / "d/second", 300);
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few = {.rlim_cur = 128, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  sys::remove_tree(tree_);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_FALSE(std::filesystem::exists(tree_));
}

TEST_F(RemoveTree, StopsWhereItMay) {
  make_chain(tree_, 10);
  EXPECT_EQ(test::in_child([&] {
              sys::cancel_on_signals();
              std::raise(SIGTERM);
              try {
                sys::remove_tree(tree_, sys::Cancellation());
              } catch (const util::Error& error) {
                return error.exit_code();
              }
              return 0;
            }),
            128 + SIGTERM);
  EXPECT_TRUE(std::filesystem::exists(tree_));
  sys::remove_tree(tree_, sys::Cancellation());
  EXPECT_FALSE(std::filesystem::exists(tree_));
}

TEST_F(RemoveTree, TakesPathsLongerThanThePathLimit) {
  const std::string name(200, 'n');
  make_chain(tree_, 50, name);
  std::string path = tree_.string();
  for (int i = 0; i < 49; ++i)
    path += "/" + name;
  sys::remove_tree(path);
  EXPECT_TRUE(std::filesystem::exists(tree_ / name / name));
  sys::remove_tree(tree_);
  EXPECT_FALSE(std::filesystem::exists(tree_));
}

TEST_F(RemoveTree, RemovesManyEntries) {
  std::filesystem::create_directory(tree_);
  for (int i = 0; i < 3000; ++i)
    sys::write_file(tree_ / std::to_string(i), "");
  sys::remove_tree(tree_);
  EXPECT_FALSE(std::filesystem::exists(tree_));
}

TEST_F(RemoveTree, RemovesDirectoriesWithoutPermissions) {
  std::filesystem::create_directories(tree_ / "a/b");
  sys::write_file(tree_ / "a/file", "x");
  ::chmod((tree_ / "a/b").c_str(), 0);
  ::chmod((tree_ / "a").c_str(), 0);
  sys::remove_tree(tree_);
  EXPECT_FALSE(std::filesystem::exists(tree_));
}

TEST_F(RemoveTree, NamesWhatCannotBeRemoved) {
  try {
    sys::remove_tree("/proc/self/status");
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("cannot remove '/proc/self/status': ")) << error.what();
  }
}
