// Plain directories changed in place.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/layer/diff.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/lose_right.hpp"

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

void set_time(const fs::path& path, timespec time) {
  const timespec times[2] = {time, time};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

class Plain : public testing::Test {
protected:
  void SetUp() override {
    fs::create_directory(directory_.path() / "work");
    snapshotter_ = snapshot::make_plain(directory_.path() / "work");
    first_ = directory_.path() / "first";
    fs::create_directories(first_ / "directory/below");
    sys::write_file(first_ / "file", "first");
    sys::write_file(first_ / "removed", "first");
    sys::write_file(first_ / "directory/below/file", "first");
    fs::create_hard_link(first_ / "file", first_ / "other-name");
    for (const auto* name : {"file", "removed", "directory/below/file"})
      set_time(first_ / name, {1000, 0});  // as layers have them
    stack_.trees = {first_};
  }

  // Changes the stack as a step would; gives what a layer would hold of it.
  Names step(const std::function<void(const fs::path& root)>& change) {
    const auto below = snapshot::read(stack_);
    const auto tree = directory_.path() / ("tree-" + std::to_string(count_++));
    const auto workspace = snapshotter_->open(stack_, snapshot::Writers::steps);
    change(workspace->root());
    workspace->commit(tree);
    stack_.trees.push_back(tree);
    Names changes;
    layer::diff(*layer::directory_changes(tree), below.get(), [&](const layer::Change& found) {
      changes.push_back((found.kind == layer::Change::Kind::removed ? "-" : "+") + found.path);
    });
    return changes;
  }

  // What a later step finds, however its root is made.
  std::string read(const snapshot::Stack& stack, const std::string& name) {
    return sys::read_file(snapshotter_->open_read_only(stack)->root() / name);
  }

  sys::TempDir directory_{fs::temp_directory_path()};
  std::unique_ptr<snapshot::Snapshotter> snapshotter_;
  fs::path first_;
  snapshot::Stack stack_;
  int count_ = 0;
};

TEST_F(Plain, FindsWhatAStepDid) {
  EXPECT_EQ(step([](const fs::path& root) {
              sys::write_file(root / "new", "new");
              sys::write_file(root / "directory/below/file", "second");
              fs::remove(root / "removed");
            }),
            (Names{"+directory/below/file", "+new", "-removed"}));
  EXPECT_EQ(sys::read_file(first_ / "directory/below/file"), "first");
}

TEST_F(Plain, FindsNothingWhereNothingWasDone) {
  EXPECT_EQ(step([](const fs::path&) {}), Names{});
  EXPECT_EQ(step([](const fs::path& root) { sys::read_file(root / "file"); }), Names{});
}

// Same size, same time: only the inode tells.
TEST_F(Plain, FindsAnotherContentBehindTheSameTimes) {
  EXPECT_EQ(step([](const fs::path& root) {
              sys::write_file(root / "removed", "FIRST");
              set_time(root / "removed", {1000, 0});
            }),
            (Names{"+removed"}));
}

TEST_F(Plain, TakesAMovedDirectoryForANewOneWithAllThatIsInIt) {
  EXPECT_EQ(step([](const fs::path& root) { fs::rename(root / "directory", root / "moved"); }),
            (Names{"-directory", "+moved", "+moved/below", "+moved/below/file"}));
  // Back in the place of another directory of that name.
  EXPECT_EQ(step([](const fs::path& root) { fs::create_directories(root / "directory/other"); }),
            (Names{"+directory", "+directory/other"}));
  EXPECT_EQ(step([](const fs::path& root) {
              fs::rename(root / "directory", root / "aside");
              fs::rename(root / "moved", root / "directory");
              fs::remove_all(root / "aside");
            }),
            (Names{"+directory/below", "+directory/below/file", "-directory/other", "-moved"}));
}

TEST_F(Plain, FindsAReplacedDirectory) {
  EXPECT_EQ(step([](const fs::path& root) {
              fs::remove_all(root / "directory");
              fs::create_directories(root / "directory/new");
            }),
            (Names{"-directory/below", "+directory/new"}));
  EXPECT_EQ(step([](const fs::path& root) {
              fs::remove_all(root / "directory");
              sys::write_file(root / "directory", "a file now");
            }),
            (Names{"+directory"}));
  EXPECT_EQ(step([](const fs::path& root) {
              fs::remove(root / "directory");
              fs::create_directories(root / "directory/again");
            }),
            (Names{"+directory", "+directory/again"}));
}

TEST_F(Plain, FindsModesOwnersAndLinks) {
  EXPECT_EQ(step([](const fs::path& root) {
              fs::permissions(root / "removed", fs::perms(0600));
              fs::permissions(root / "directory", fs::perms(0700));
              fs::create_hard_link(root / "directory/below/file", root / "linked");
              fs::create_symlink("file", root / "symlink");
            }),
            (Names{"+directory", "+linked", "+removed", "+symlink"}));
  const auto tree = stack_.trees.back();
  EXPECT_TRUE(fs::equivalent(tree / "linked", tree / "directory/below/file"));
}

// A step before may have written to either.
TEST_F(Plain, PartsTheNamesOfAFileOfALowerTree) {
  const auto append = [](const fs::path& path) {
    const sys::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    sys::write_all(fd.get(), std::string_view(", and more"), path.string());
  };
  EXPECT_EQ(step([&](const fs::path& root) { append(root / "file"); }), Names{"+file"});
  EXPECT_EQ(read(stack_, "other-name"), "first");
  EXPECT_EQ(step([&](const fs::path& root) { fs::create_hard_link(root / "file", root / "third"); }),
            Names{"+third"});
  EXPECT_EQ(step([&](const fs::path& root) { append(root / "third"); }), Names{"+third"});
  EXPECT_EQ(read(stack_, "file"), "first, and more");
  EXPECT_EQ(read(stack_, "third"), "first, and more, and more");
}

TEST_F(Plain, ShowsReadersTheLinksOfTheLayers) {
  fs::create_hard_link(first_ / "file", first_ / "directory/third");
  step([](const fs::path& root) { sys::write_file(root / "new", "new"); });
  {
    const auto view = snapshotter_->open_read_only(stack_);
    EXPECT_EQ(fs::hard_link_count(view->root() / "file"), 3U);
    EXPECT_TRUE(fs::equivalent(view->root() / "file", view->root() / "other-name"));
  }
  // A name that a step touched is a file of its own from then on, and so is one where its directory went.
  EXPECT_EQ(step([](const fs::path& root) {
              fs::permissions(root / "file", fs::perms::owner_all);
              fs::remove_all(root / "directory");
              fs::create_directory_symlink(".", root / "directory");
              sys::write_file(root / "third", "another");
            }),
            (Names{"+directory", "+file", "+third"}));
  const auto view = snapshotter_->open_read_only(stack_);
  for (const auto* name : {"file", "other-name", "third"})
    EXPECT_EQ(fs::hard_link_count(view->root() / name), 1U) << name;
  EXPECT_EQ(sys::read_file(view->root() / "third"), "another");
}

TEST_F(Plain, JoinsNamesThatWereNotTouchedWithoutTheOneThatWas) {
  fs::create_hard_link(first_ / "file", first_ / "third");
  for (const auto* name : {"file", "other-name", "third"}) {
    step([&](const fs::path& root) { sys::write_file(root / "new", name); });
    step([&](const fs::path& root) { sys::write_file(root / "file", name); });
    const auto view = snapshotter_->open_read_only(stack_);
    EXPECT_EQ(fs::hard_link_count(view->root() / "third"), 2U);
    EXPECT_EQ(sys::read_file(view->root() / "other-name"), "first");
    EXPECT_EQ(sys::read_file(view->root() / "file"), name);
  }
}

// A tree that somebody with more rights unpacked.
TEST_F(Plain, KeepsDevicesThatNobodyCanMakeHere) {
  if (::geteuid() != 0) GTEST_SKIP() << "making devices needs root";
  ASSERT_EQ(::mknod((first_ / "directory/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  std::thread([&] {  // rights are those of a thread
    test::lose_right(CAP_MKNOD);
    EXPECT_EQ(step([](const fs::path& root) {
                EXPECT_FALSE(fs::exists(root / "directory/null"));
                sys::write_file(root / "directory/new", "new");
                fs::remove_all(root / "directory/below");
              }),
              (Names{"-directory/below", "+directory/new"}));
  })
      .join();
}

TEST_F(Plain, KeepsExtendedAttributesAndOwners) {
  if (::geteuid() != 0) GTEST_SKIP() << "other owners need root";
  step([](const fs::path& root) {
    ASSERT_EQ(::lchown((root / "file").c_str(), 12, 34), 0);
    const std::string capability("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    ASSERT_EQ(
        ::setxattr((root / "file").c_str(), "security.capability", capability.data(), capability.size(), 0),
        0);
  });
  const auto changes = layer::directory_changes(stack_.trees.back());
  EXPECT_EQ(changes->status("file")->st_uid, 12U);
  EXPECT_EQ(changes->status("file")->st_gid, 34U);
  EXPECT_EQ(changes->capability("file").size(), 20U);
}

TEST_F(Plain, ShowsAStackThatTwoGoOnFrom) {
  step([](const fs::path& root) { sys::write_file(root / "file", "second"); });
  const auto fork = stack_;
  step([](const fs::path& root) {
    sys::write_file(root / "file", "third");
    fs::remove(root / "removed");
  });
  EXPECT_EQ(read(fork, "file"), "second");
  EXPECT_EQ(read(fork, "removed"), "first");
  EXPECT_EQ(read(stack_, "file"), "third");
  const auto other = snapshotter_->open(fork);
  EXPECT_EQ(sys::read_file(other->root() / "file"), "second");
}

// Changes that come in the same tick of the clock as what was there before.
TEST_F(Plain, MissesNoChangeThatComesAtOnce) {
  for (int i = 0; i < 50; ++i) {
    const auto text = std::to_string(i % 10);
    EXPECT_EQ(step([&](const fs::path& root) { sys::write_file(root / "quick", text); }), Names{"+quick"});
  }
}

TEST_F(Plain, LeavesNothingOfAStepThatFailed) {
  const auto count = [&] {
    return std::distance(fs::directory_iterator(directory_.path() / "work"), fs::directory_iterator());
  };
  {
    const auto workspace = snapshotter_->open(stack_);
    sys::write_file(workspace->root() / "file", "half");
    EXPECT_EQ(count(), 1);
  }
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(read(stack_, "file"), "first");
}

}  // namespace
