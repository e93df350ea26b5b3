// Who gets which directory of a cache.
#include "common/solver/cache_mounts.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

using dockerfile::Sharing;

class CacheMounts : public testing::Test {
protected:
  solver::CacheMounts::Lease acquire(Sharing sharing, const std::string& key = "key") {
    return mounts_.acquire(key, sharing, [this](const auto&) { ++prepared_; }, {});
  }

  sys::TempDir directory_{testing::TempDir()};
  solver::CacheMounts mounts_{directory_.path()};
  int prepared_ = 0;
};

TEST_F(CacheMounts, SharedOnesAreOneDirectory) {
  const auto first = acquire(Sharing::shared);
  const auto second = acquire(Sharing::shared);
  EXPECT_EQ(first.path(), second.path());
  EXPECT_TRUE(std::filesystem::is_directory(first.path()));
  EXPECT_EQ(prepared_, 1);
}

TEST_F(CacheMounts, SharedOnesAreOneDirectoryAlsoWhileItIsFilled) {
  std::future<std::filesystem::path> second;
  const auto first = mounts_.acquire(
      "key", Sharing::shared,
      [&](const auto&) {
        second = std::async(std::launch::async, [this] { return acquire(Sharing::shared).path(); });
        // Whoever does not wait for the directory has another by then.
        second.wait_for(std::chrono::milliseconds(50));
      },
      {});
  EXPECT_EQ(second.get(), first.path());
}

TEST_F(CacheMounts, OfAnotherKeyIsAnother) {
  const auto first = acquire(Sharing::shared);
  EXPECT_NE(acquire(Sharing::shared, "other").path(), first.path());
}

TEST_F(CacheMounts, PrivateOnesAreAloneAndTakeWhatIsFree) {
  std::filesystem::path path;
  {
    const auto first = acquire(Sharing::private_);
    const auto second = acquire(Sharing::private_);
    EXPECT_NE(acquire(Sharing::shared).path(), first.path());
    EXPECT_NE(second.path(), first.path());
    path = first.path();
  }
  EXPECT_EQ(acquire(Sharing::private_).path(), path);
  EXPECT_EQ(prepared_, 3);
}

TEST_F(CacheMounts, LockedOnesWaitForEachOther) {
  std::optional<solver::CacheMounts::Lease> first(acquire(Sharing::locked));
  std::atomic<bool> released = false;
  std::thread other([&] {
    const auto second = acquire(Sharing::locked);
    EXPECT_TRUE(released);
  });
  released = true;
  first.reset();
  other.join();
  EXPECT_EQ(prepared_, 1);
}

TEST_F(CacheMounts, WaitingEndsWhenCancelled) {
  const auto first = acquire(Sharing::shared);
  sys::Canceller canceller;
  const std::jthread other([&] { canceller.cancel(); });
  EXPECT_THROW(mounts_.acquire(
                   "key", Sharing::locked, [](const auto&) {}, canceller.cancellation()),
               util::Error);
}

}  // namespace
