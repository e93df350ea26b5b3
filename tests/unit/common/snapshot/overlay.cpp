// Overlays mounted for real, in a mount namespace of the test's own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "common/snapshot/late_unmount.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"

namespace {

namespace fs = std::filesystem;

class Overlay : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    ASSERT_TRUE(sys::enter_private_mounts());
    fs::create_directory(directory_.path() / "work");
    overlay_ = snapshot::make_overlay(directory_.path() / "work");
    first_ = new_tree();
    fs::create_directories(first_ / "directory/below");
    sys::write_file(first_ / "file", "first");
    sys::write_file(first_ / "removed", "first");
    sys::write_file(first_ / "directory/below/file", "first");
    stack_.trees = {first_};
  }

  fs::path new_tree() {
    const auto path = directory_.path() / std::to_string(count_++);
    fs::create_directory(path);
    return path;
  }

  // Changes the stack as a step would; the change becomes its topmost tree.
  template <typename Change>
  void step(Change change) {
    const auto workspace = overlay_->open(stack_);
    change(workspace->root());
    const auto tree = directory_.path() / std::to_string(count_++);
    workspace->commit(tree);
    stack_.trees.push_back(tree);
  }

  // Makes the stack higher by trees that hold a file each.
  void pile(int trees) {
    for (int i = 0; i < trees; ++i) {
      stack_.trees.push_back(new_tree());
      sys::write_file(stack_.trees.back() / ("piled-" + std::to_string(i)), "piled");
    }
  }

  bool nothing_is_mounted() const {
    return sys::mount_points_below(sys::read_file("/proc/self/mountinfo"), directory_.path()).empty();
  }

  sys::TempDir directory_{fs::temp_directory_path()};
  int count_ = 0;
  fs::path first_;
  snapshot::Stack stack_;
  std::unique_ptr<snapshot::Snapshotter> overlay_;
};

// The error of a mount that wants the upper directory for itself: EBUSY as long as another filesystem has it.
int error_of_another_mount(const fs::path& workspace) {
  const auto point = workspace / "again";
  ::mkdir(point.c_str(), 0755);
  const auto options = "index=on,lowerdir=" + point.string() + ",upperdir=" + (workspace / "upper").string() +
                       ",workdir=" + (workspace / "work").string();
  if (::mount("overlay", point.c_str(), "overlay", 0, options.c_str()) != 0) return errno;
  ::umount2(point.c_str(), MNT_DETACH);
  return 0;
}

TEST_F(Overlay, IsTakenApartAfterTheEndOfWhoMayNotWait) {
  const auto told = directory_.path() / "told";
  const auto made = test::in_child([&] {
    auto* const mounted = overlay_->open(stack_).release();
    const auto place = mounted->root().parent_path();
    fs::create_symlink(place, told);
    if (!snapshot::unmount_after_end(mounted->root())) return 1;
    if (!nothing_is_mounted()) return 2;
    return error_of_another_mount(place) == EBUSY ? 0 : 3;
  });
  ASSERT_EQ(made, 0);
  // By a thread of the kernel, so there is nobody to wait for.
  const auto place = fs::read_symlink(told);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (error_of_another_mount(place) == EBUSY && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_NE(error_of_another_mount(place), EBUSY);
}

TEST_F(Overlay, TellsWhatWasWrittenSoFar) {
  const auto workspace = overlay_->open(stack_);
  const auto before = workspace->written({});
  EXPECT_LT(before, 1 << 20);
  sys::write_file(workspace->root() / "large", std::string(1 << 20, 'x'));
  EXPECT_GE(workspace->written({}) - before, 1 << 20);
  EXPECT_EQ(overlay_->open_read_only(stack_)->written({}), 0);
}

TEST_F(Overlay, StaysWhereItIsIfItCannotBeWritten) {
  stack_.trees.push_back(new_tree());
  const auto workspace = overlay_->open_read_only(stack_);
  EXPECT_FALSE(snapshot::unmount_after_end(workspace->root()));
  EXPECT_FALSE(nothing_is_mounted());
}

TEST_F(Overlay, KeepsWhatAStepChangedApartFromWhatWasThere) {
  step([](const fs::path& root) { sys::write_file(root / "file", "second"); });
  EXPECT_EQ(sys::read_file(first_ / "file"), "first");
  EXPECT_EQ(sys::read_file(stack_.trees.back() / "file"), "second");
  EXPECT_EQ(sys::read_file(overlay_->open_read_only(stack_)->root() / "file"), "second");
  EXPECT_TRUE(nothing_is_mounted());
}

TEST_F(Overlay, LeavesNothingOfAStepThatIsDropped) {
  { sys::write_file(overlay_->open(stack_)->root() / "file", "second"); }
  EXPECT_EQ(sys::read_file(first_ / "file"), "first");
  EXPECT_TRUE(fs::is_empty(directory_.path() / "work"));
  EXPECT_TRUE(nothing_is_mounted());
}

TEST_F(Overlay, MarksWhatAStepRemovedWithADeviceOfNumberZero) {
  step([](const fs::path& root) { fs::remove(root / "removed"); });
  struct stat status;
  ASSERT_EQ(::lstat((stack_.trees.back() / "removed").c_str(), &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
  EXPECT_EQ(status.st_rdev, 0U);
}

TEST_F(Overlay, RenamesDirectoriesOfLowerTreesAsAWhole) {
  step([](const fs::path& root) {
    // rename(2) says EXDEV, as on any overlay that follows no redirects; programs then copy.
    EXPECT_NE(::rename((root / "directory").c_str(), (root / "moved").c_str()), 0);
    fs::copy(root / "directory", root / "moved", fs::copy_options::recursive);
    fs::remove_all(root / "directory");
  });
  EXPECT_EQ(sys::read_file(stack_.trees.back() / "moved/below/file"), "first");
}

TEST_F(Overlay, CopiesAFileWholeWhenItsModeChanges) {
  step([](const fs::path& root) { fs::permissions(root / "file", fs::perms{0600}); });
  EXPECT_EQ(sys::read_file(stack_.trees.back() / "file"), "first");
}

TEST_F(Overlay, GivesTheRootTheOwnerOfTheTreeBelow) {
  ASSERT_EQ(::chown(first_.c_str(), 12, 34), 0);
  step([](const fs::path&) {});
  struct stat status;
  ASSERT_EQ(::stat(stack_.trees.back().c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12U);
}

TEST_F(Overlay, NeedsNoMountForAStackOfOneTree) {
  EXPECT_EQ(overlay_->open_read_only(stack_)->root(), first_);
}

TEST_F(Overlay, StacksHundredsOfTreesAndKeepsRemovalsInTheMiddle) {
  pile(200);
  step([](const fs::path& root) {
    fs::remove(root / "removed");
    fs::remove_all(root / "directory");
    fs::create_directory(root / "directory");
  });
  pile(150);
  step([](const fs::path& root) {
    EXPECT_FALSE(fs::exists(root / "removed"));
    EXPECT_TRUE(fs::is_empty(root / "directory"));
    EXPECT_EQ(sys::read_file(root / "file"), "first");
    EXPECT_TRUE(fs::exists(root / "piled-199"));
  });
  EXPECT_FALSE(fs::exists(overlay_->open_read_only(stack_)->root() / "removed"));
  EXPECT_TRUE(nothing_is_mounted());
}

TEST_F(Overlay, SaysWhenAStackIsTooHigh) {
  pile(400);
  EXPECT_THROW(overlay_->open(stack_), util::Error);
  EXPECT_TRUE(nothing_is_mounted());
}

TEST_F(Overlay, DoesNotChangeAnyMoreOnceItIsFrozenWhoeverHoldsADescriptor) {
  for (const auto& below : {stack_, snapshot::Stack()}) {  // also a step of an empty stage
    const auto workspace = overlay_->open(below, snapshot::Writers::steps);
    sys::write_file(workspace->root() / "made", "by the step");
    const sys::UniqueFd root(::open(workspace->root().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const sys::UniqueFd made(::openat(root.get(), "made", O_RDONLY | O_CLOEXEC));
    workspace->freeze();
    const auto tree = directory_.path() / std::to_string(count_++);
    workspace->commit(tree);
    EXPECT_EQ(::openat(root.get(), "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_EQ(::renameat(root.get(), "made", root.get(), "moved"), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_EQ(::openat(root.get(), "made", O_WRONLY | O_CLOEXEC), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_EQ(::fchmod(made.get(), 0600), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_EQ(sys::read_file(tree / "made"), "by the step");
    EXPECT_EQ(std::distance(fs::directory_iterator(tree), fs::directory_iterator()), 1);
  }
}

TEST_F(Overlay, IsNotFrozenWhileSomebodyHasAFileOpenForWriting) {
  const auto workspace = overlay_->open(stack_, snapshot::Writers::steps);
  sys::UniqueFd file(::open((workspace->root() / "file").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_THROW(workspace->freeze(), util::Error);
  file = sys::UniqueFd();
  workspace->freeze();
}

}  // namespace
