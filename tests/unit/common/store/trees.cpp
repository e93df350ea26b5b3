#include "common/store/trees.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "common/hash/sha256.hpp"
#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

class TreesTest : public testing::Test {
protected:
  Store open() {
    return Store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); }});
  }

  // A tree of one file.
  fs::path make_tree(Store& store, Fidelity fidelity = Fidelity::whole) {
    auto making = store.trees().make(chain_);
    if (!making) throw util::Error("the tree is there already");
    sys::write_file(making->root() / "file", "content");
    auto root = making->commit(fidelity);
    store.trees().finish();
    return root;
  }

  // As a disk does that loses a bit, or a program that sets the time back: nothing but the time of the
  // inode's change tells.
  static void flip_byte(const fs::path& file) {
    const auto time = fs::last_write_time(file);
    std::fstream(file, std::ios::in | std::ios::out).put('C');
    fs::last_write_time(file, time);
  }

  // Of the only tree there is.
  fs::path place() const { return fs::directory_iterator(directory_ / "trees")->path(); }
  fs::path root() const { return place() / "root"; }

  // As if the machine had been started anew since.
  void forget_boot() {
    const auto path = place() / "tree.json";
    auto record = sys::read_file(path);
    const auto begin = record.find("\"boot\":\"") + 8;
    record.replace(begin, record.find('"', begin) - begin, "another");
    sys::write_file(path, record);
  }

  bool is_empty(const std::string& folder) const { return fs::is_empty(directory_ / folder); }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path directory_ = temp_.path() / "store";
  hash::Digest chain_ = hash::sha256("chain");
  std::vector<std::string> warnings_;
};

TEST_F(TreesTest, KeepsATreeForTheNextBuild) {
  {
    auto store = open();
    EXPECT_EQ(store.trees().find(chain_), std::nullopt);
    make_tree(store);
  }
  auto store = open();
  const auto found = store.trees().find(chain_);
  ASSERT_TRUE(found);
  EXPECT_EQ(sys::read_file(*found / "file"), "content");
  EXPECT_EQ(store.trees().find(chain_), found);
  EXPECT_EQ(store.trees().make(chain_), std::nullopt);
  EXPECT_TRUE(is_empty("partial"));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(TreesTest, TheRootOfANewTreeHasTheModeThatAnImageWithoutOneGivesIt) {
  auto store = open();
  const auto before = ::umask(077);
  const auto making = store.trees().make(chain_);
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat(making->root().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFDIR | 0755);
}

TEST_F(TreesTest, NobodyElseMayEnterTheTrees) {
  open();
  for (const auto* folder : {"trees", "partial"}) {
    struct stat status = {};
    ASSERT_EQ(::stat((directory_ / folder).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700) << folder;
  }
}

TEST_F(TreesTest, ATreeThatIsNotFinishedIsRemoved) {
  auto store = open();
  {
    const auto making = store.trees().make(chain_);
    sys::write_file(making->root() / "file", "content");
  }
  EXPECT_EQ(store.trees().find(chain_), std::nullopt);
  EXPECT_TRUE(is_empty("partial"));
  make_tree(store);
  EXPECT_TRUE(store.trees().find(chain_));
}

TEST_F(TreesTest, WhatAKilledBuildLeftGoesWithTheNextStart) {
  open();
  fs::create_directories(directory_ / "partial/new-abc/root/usr/bin");
  std::ofstream(directory_ / "partial" / ("tree-" + chain_.hex()));
  open();
  EXPECT_TRUE(is_empty("partial"));
}

TEST_F(TreesTest, ATreeWithoutItsRecordIsMadeAnew) {
  auto store = open();
  make_tree(store);
  fs::remove(place() / "tree.json");
  sys::write_file(root() / "rest", "");
  EXPECT_EQ(store.trees().find(chain_), std::nullopt);
  make_tree(store);
  EXPECT_FALSE(fs::exists(root() / "rest"));
}

TEST_F(TreesTest, ADamagedRecordIsAMissAndAWarning) {
  auto store = open();
  make_tree(store);
  sys::write_file(place() / "tree.json", "{}");
  EXPECT_EQ(store.trees().find(chain_), std::nullopt);
  EXPECT_EQ(warnings_.size(), 1);
  make_tree(store);
  EXPECT_TRUE(store.trees().find(chain_));
}

TEST_F(TreesTest, ATreeOfBeforeTheMachineStartedIsLookedThroughOnce) {
  auto store = open();
  const auto made = make_tree(store);
  forget_boot();
  EXPECT_EQ(store.trees().find(chain_), made);
  EXPECT_EQ(sys::read_file(place() / "tree.json").find("another"), std::string::npos);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(TreesTest, AFileThatACrashOfTheMachineEmptiedIsAMissAndAWarning) {
  auto store = open();
  make_tree(store);
  forget_boot();
  fs::resize_file(root() / "file", 0);
  EXPECT_EQ(store.trees().find(chain_), std::nullopt);
  EXPECT_EQ(warnings_.size(), 1);
  EXPECT_EQ(sys::read_file(make_tree(store) / "file"), "content");
}

TEST_F(TreesTest, AByteThatChangedIsFoundWhileTheTreeIsUsed) {
  {
    auto store = open();
    make_tree(store);
  }
  flip_byte(root() / "file");
  {
    auto store = open();
    EXPECT_TRUE(store.trees().find(chain_));
    EXPECT_FALSE(store.is_sound());
    EXPECT_FALSE(store.is_sound());
    ASSERT_EQ(warnings_.size(), 1);
    EXPECT_TRUE(warnings_[0].ends_with(" from the store: its files are not as they were unpacked"));
    EXPECT_EQ(store.trees().find(chain_), std::nullopt);
  }
  auto store = open();
  EXPECT_EQ(sys::read_file(make_tree(store) / "file"), "content");
  EXPECT_TRUE(store.is_sound());
}

TEST_F(TreesTest, ATreeMadeInPlaceOfADamagedOneDoesNotMakeUpForIt) {
  {
    auto store = open();
    make_tree(store);
  }
  flip_byte(root() / "file");
  auto store = open();
  ASSERT_TRUE(store.trees().find(chain_));
  while (store.trees().find(chain_)) {}  // until somebody has looked at its bytes
  EXPECT_EQ(sys::read_file(make_tree(store) / "file"), "content");
  EXPECT_FALSE(store.is_sound());
}

TEST_F(TreesTest, AByteThatACrashOfTheMachineLostIsAMissAndAWarning) {
  auto store = open();
  make_tree(store);
  forget_boot();
  flip_byte(root() / "file");
  EXPECT_EQ(store.trees().find(chain_), std::nullopt);
  EXPECT_EQ(warnings_.size(), 1);
}

TEST_F(TreesTest, OfACopyTheBytesDecide) {
  {
    auto store = open();
    make_tree(store);
    const auto made = root();
    const auto copy = place() / "copy";
    fs::copy(made, copy);
    fs::last_write_time(copy / "file", fs::last_write_time(made / "file"));
    fs::last_write_time(copy, fs::last_write_time(made));
    fs::remove_all(made);
    fs::rename(copy, made);
  }
  for (int build = 0; build < 2; ++build) {
    auto store = open();
    EXPECT_TRUE(store.trees().find(chain_));
    EXPECT_TRUE(store.is_sound());
    EXPECT_TRUE(warnings_.empty()) << warnings_[0];
  }
}

TEST_F(TreesTest, ATreeWithLossesDoesNotStandForAWholeOne) {
  auto store = open();
  const auto lossy = make_tree(store, Fidelity::with_losses);
  EXPECT_EQ(store.trees().find(chain_), lossy);  // by who can do no better
  EXPECT_NE(place().filename().string(), chain_.hex());
}

TEST_F(TreesTest, TwoBuildsAtOnceMakeATreeOnce) {
  for (const auto bytes : {Bytes::here, Bytes::awaited}) {
    std::atomic<int> made = 0;
    const auto build = [&] {
      Store store(directory_);
      auto making = store.trees().make(chain_, bytes);
      if (making) {
        ++made;
        sys::write_file(making->root() / "file", "content");
        making->commit(Fidelity::whole);
      }
      EXPECT_TRUE(store.trees().find(chain_));
    };
    {
      const std::jthread first(build);
      const std::jthread second(build);
    }
    EXPECT_EQ(made, 1);
    chain_ = hash::sha256("another chain");
  }
}

TEST_F(TreesTest, WaitingForATreeEndsWhenCancelled) {
  auto store = open();
  sys::Canceller stop;
  stop.cancel();
  const auto expect_wait = [&](Bytes bytes) {
    EXPECT_THROW(store.trees().make(chain_, bytes, stop.cancellation()), util::Error);
  };
  {
    const auto making = store.trees().make(chain_);
    expect_wait(Bytes::here);
    expect_wait(Bytes::awaited);
  }
  const auto awaiting = store.trees().make(chain_, Bytes::awaited);
  expect_wait(Bytes::awaited);
}

TEST_F(TreesTest, WhoHasAllBytesDoesNotWaitForWhoAwaitsSome) {
  auto store = open();
  auto awaiting = store.trees().make(chain_, Bytes::awaited);
  ASSERT_TRUE(awaiting);
  sys::write_file(awaiting->root() / "file", "the same, later");
  const auto made = make_tree(store);
  EXPECT_EQ(awaiting->commit(Fidelity::whole), made);
  EXPECT_EQ(sys::read_file(made / "file"), "content");
  awaiting.reset();
  EXPECT_TRUE(is_empty("partial"));
}

TEST_F(TreesTest, WhoAwaitedBytesPutsTheTreeInItsPlaceAfterOneThatGaveUp) {
  auto store = open();
  auto awaiting = store.trees().make(chain_, Bytes::awaited);
  ASSERT_TRUE(awaiting);
  ASSERT_TRUE(store.trees().make(chain_));
  const auto made = awaiting->commit(Fidelity::whole);
  EXPECT_EQ(store.trees().find(chain_), made);
}

}  // namespace
}  // namespace store
