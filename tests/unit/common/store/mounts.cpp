// Who gets which directory of a cache, in one build and in several at the same time.
#include "common/store/mounts.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/killed_at_call.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

const hash::Digest key = hash::sha256("key");

ino_t inode(const Mounts::Lease& lease) {
  struct stat status = {};
  EXPECT_EQ(::fstat(lease.directory(), &status), 0);
  return status.st_ino;
}

Store open_quietly(const fs::path& directory) {
  return Store(directory, {.warn = [](const std::string& message) { throw util::Error(message); }});
}

// Another build that has a directory until it is told to end, or killed.
class Other {
public:
  Other(const fs::path& directory, Sharing sharing) {
    int ready[2];
    int end[2];
    EXPECT_EQ(::pipe(ready), 0);
    EXPECT_EQ(::pipe(end), 0);
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(end[1]);
      try {
        auto store = open_quietly(directory);
        const auto lease = store.mounts().lease(key, sharing, [](int) {});
        const auto found = inode(lease);
        char byte = 0;
        if (::write(ready[1], &found, sizeof found) == sizeof found && ::read(end[0], &byte, 1) == 0)
          ::_exit(0);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "the other build: %s\n", error.what());
      }
      ::_exit(1);
    }
    ::close(ready[1]);
    ::close(end[0]);
    EXPECT_EQ(::read(ready[0], &inode_, sizeof inode_), static_cast<ssize_t>(sizeof inode_));
    ::close(ready[0]);
    end_ = sys::UniqueFd(end[1]);
  }
  ~Other() { stop(); }

  void stop() {
    end_ = sys::UniqueFd();
    wait();
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    wait();
  }
  ino_t inode_ = 0;

private:
  void wait() {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  pid_t pid_ = 0;
  sys::UniqueFd end_;
};

class MountsTest : public testing::Test {
protected:
  Mounts::Lease lease(Sharing sharing) {
    return store_->mounts().lease(key, sharing, [this](int) { ++prepared_; });
  }

  // Nothing where it would have to wait.
  std::optional<Mounts::Lease> try_lease(Sharing sharing) {
    sys::Canceller canceller;
    canceller.cancel();
    try {
      return store_->mounts().lease(
          key, sharing, [this](int) { ++prepared_; }, canceller.cancellation());
    } catch (const util::Error& error) {
      EXPECT_TRUE(error.is_cancelled()) << error.what();
      return std::nullopt;
    }
  }

  void open_again() {
    store_.reset();
    store_.emplace(directory_,
                   Options{.warn = [this](const auto& message) { warnings_.push_back(message); }});
  }

  fs::path place() const { return directory_ / "mounts" / key.hex(); }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path directory_ = temp_.path() / "store";
  std::optional<Store> store_{directory_};
  std::vector<std::string> warnings_;
  int prepared_ = 0;
};

TEST_F(MountsTest, LiveFromBuildToBuildAsTheLastStepLeftThem) {
  {
    const auto first = lease(Sharing::shared);
    ASSERT_EQ(::mkdirat(first.directory(), "left", 0755), 0);
    ASSERT_EQ(::fchmodat(first.directory(), ".", 0, 0), 0);
  }
  open_again();
  const auto second = lease(Sharing::locked);
  struct stat status = {};
  EXPECT_EQ(::fstatat(second.directory(), "left", &status, AT_SYMLINK_NOFOLLOW), 0);
  EXPECT_EQ(::fstat(second.directory(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0U);
  EXPECT_EQ(prepared_, 1);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(MountsTest, BeginAsTheyArePreparedWhateverTheUmask) {
  const auto old = ::umask(077);
  struct stat status = {};
  store_->mounts().lease(key, Sharing::shared,
                         [&](int directory) { EXPECT_EQ(::fstat(directory, &status), 0); });
  ::umask(old);
  EXPECT_EQ(status.st_mode & 07777, 0755U);
  EXPECT_EQ(fs::status(directory_ / "mounts").permissions(), fs::perms::owner_all);
}

TEST_F(MountsTest, OfAnotherKeyAreOthers) {
  const auto first = lease(Sharing::locked);
  const auto second = store_->mounts().lease(hash::sha256("other"), Sharing::locked, [](int) {});
  EXPECT_NE(inode(first), inode(second));
}

TEST_F(MountsTest, SharedOnesAreOneDirectoryInAllBuilds) {
  const auto first = lease(Sharing::shared);
  EXPECT_EQ(inode(lease(Sharing::shared)), inode(first));
  EXPECT_EQ(Other(directory_, Sharing::shared).inode_, inode(first));
  EXPECT_EQ(prepared_, 1);
}

TEST_F(MountsTest, SharedOnesAreOneDirectoryAlsoWhereAnotherIsFree) {
  auto alone = std::optional(lease(Sharing::private_));
  Other sharing(directory_, Sharing::shared);
  EXPECT_NE(sharing.inode_, inode(*alone));
  const auto number = inode(*alone);
  alone.reset();
  const auto joined = lease(Sharing::shared);
  EXPECT_EQ(inode(joined), sharing.inode_);
  EXPECT_EQ(inode(lease(Sharing::private_)), number);
}

TEST_F(MountsTest, PrivateOnesAreAloneAndTakeWhatIsFree) {
  const auto first = lease(Sharing::private_);
  {
    Other second(directory_, Sharing::private_);
    EXPECT_NE(second.inode_, inode(first));
    const auto third = lease(Sharing::private_);
    EXPECT_EQ((std::set{inode(first), second.inode_, inode(third)}.size()), 3U);
    second.kill();
    EXPECT_EQ(inode(lease(Sharing::private_)), second.inode_);
  }
  EXPECT_EQ(prepared_, 2);
}

TEST_F(MountsTest, LockedOnesWaitForEveryOther) {
  for (const auto sharing : {Sharing::shared, Sharing::private_, Sharing::locked}) {
    {
      const auto held = lease(sharing);
      EXPECT_FALSE(try_lease(Sharing::locked));
    }
    Other other(directory_, sharing);
    EXPECT_FALSE(try_lease(Sharing::locked));
    auto waiting = std::async(std::launch::async, [this] { return inode(lease(Sharing::locked)); });
    other.stop();
    EXPECT_EQ(waiting.get(), other.inode_);
  }
  EXPECT_EQ(prepared_, 1);
}

TEST_F(MountsTest, NothingStaysLockedByWhoIsKilled) {
  for (const auto sharing : {Sharing::shared, Sharing::private_, Sharing::locked}) {
    Other other(directory_, sharing);
    other.kill();
    EXPECT_TRUE(try_lease(Sharing::locked));
  }
}

TEST_F(MountsTest, WhoeverSharesOneThatIsBeingPreparedWaitsAndWhoIsAloneDoesNot) {
  std::future<ino_t> sharing;
  ino_t alone = 0;
  const auto first = store_->mounts().lease(key, Sharing::shared, [&](int) {
    EXPECT_FALSE(try_lease(Sharing::shared));
    EXPECT_FALSE(try_lease(Sharing::locked));
    alone = inode(lease(Sharing::private_));
    // Where another one is free it does not matter that it is being made.
    EXPECT_TRUE(try_lease(Sharing::locked));
    sharing = std::async(std::launch::async, [this] { return inode(lease(Sharing::shared)); });
  });
  EXPECT_NE(inode(first), alone);
  sharing.wait();
  open_again();
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(MountsTest, AreMadeOnceHoweverManyAskAtTheSameTime) {
  for (int round = 0; round < 100; ++round) {
    const auto name = hash::sha256(std::to_string(round));
    std::atomic<int> prepared = 0;
    std::vector<std::future<ino_t>> asking;
    for (int number = 0; number < 6; ++number) {
      asking.push_back(std::async(std::launch::async, [&] {
        return inode(store_->mounts().lease(name, Sharing::shared, [&](int) { ++prepared; }));
      }));
    }
    std::set<ino_t> found;
    for (auto& one : asking)
      found.insert(one.get());
    ASSERT_EQ(prepared, 1) << round;
    ASSERT_EQ(found.size(), 1U) << round;
  }
}

TEST_F(MountsTest, ThatCannotBePreparedLeaveNothing) {
  const auto fail = [](int) { throw util::Error("no such source"); };
  EXPECT_THROW(store_->mounts().lease(key, Sharing::shared, fail), util::Error);
  EXPECT_TRUE(fs::is_empty(directory_ / "mounts"));
  EXPECT_TRUE(fs::is_empty(directory_ / "partial"));
  EXPECT_TRUE(try_lease(Sharing::locked));
}

TEST_F(MountsTest, AreWholeOrNotThereWhereverABuildIsKilled) {
  store_.reset();
  int number = 1;
  for (;; ++number) {
    fs::remove_all(directory_ / "mounts");
    const bool killed = test::killed_at_call(number, [&] {
      auto store = open_quietly(directory_);
      test::count_calls_from_here();
      store.mounts().lease(key, Sharing::locked, [](int directory) {
        if (::mkdirat(directory, "prepared", 0755) != 0) throw util::Error("cannot prepare");
      });
    });
    open_again();
    int prepared = 0;
    const auto found = store_->mounts().lease(key, Sharing::locked, [&](int directory) {
      ++prepared;
      ::mkdirat(directory, "prepared", 0755);
    });
    EXPECT_EQ(::faccessat(found.directory(), "prepared", F_OK, 0), 0) << number;
    EXPECT_TRUE(killed || prepared == 0);
    EXPECT_TRUE(warnings_.empty()) << number << testing::PrintToString(warnings_);
    EXPECT_TRUE(fs::is_empty(directory_ / "partial")) << number;
    if (!killed) break;
  }
  EXPECT_GT(number, 20);
}

// Where a task's cache is an overlay in every later run, what is there lies in its lower directory.
TEST_F(MountsTest, AreLockedInAnOverlayAlsoWhenTheyAreCopiedUp) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts";
  const auto number = inode(lease(Sharing::shared));
  store_.reset();
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  const auto upper = temp_.path() / "tmpfs";
  fs::create_directory(upper);
  ASSERT_EQ(::mount("tmpfs", upper.c_str(), "tmpfs", 0, "size=8m"), 0);
  fs::create_directory(upper / "upper");
  fs::create_directory(upper / "work");
  const auto options = "lowerdir=" + directory_.string() + ",upperdir=" + (upper / "upper").string() +
                       ",workdir=" + (upper / "work").string();
  const auto lower = fs::file_size(directory_ / "mounts" / key.hex() / "mount.json");
  ASSERT_EQ(::mount("overlay", directory_.c_str(), "overlay", 0, options.c_str()), 0);
  open_again();
  {
    Other other(directory_, Sharing::shared);
    // The folder and what is in it are copied up meanwhile.
    std::ofstream(place() / "root" / "new") << "new";
    EXPECT_TRUE(fs::exists(upper / "upper/mounts" / key.hex() / "root/new"));
    EXPECT_FALSE(try_lease(Sharing::locked));
    EXPECT_EQ(inode(lease(Sharing::shared)), other.inode_);
    Other third(directory_, Sharing::shared);
    EXPECT_EQ(third.inode_, other.inode_);
  }
  EXPECT_TRUE(try_lease(Sharing::locked));
  EXPECT_EQ(prepared_, 1);
  // Removing one and making it anew renames nothing of the lower directory.
  fs::remove(place() / "mount.json");
  lease(Sharing::locked);
  EXPECT_EQ(prepared_, 2);
  EXPECT_TRUE(warnings_.empty()) << testing::PrintToString(warnings_);
  store_.reset();
  EXPECT_EQ(::umount2(directory_.c_str(), MNT_DETACH), 0);
  EXPECT_EQ(::umount2(upper.c_str(), MNT_DETACH), 0);
  EXPECT_EQ(fs::file_size(place() / "mount.json"), lower);
  EXPECT_GT(number, 0U);
}

}  // namespace
}  // namespace store
