// Stores on filesystems that take no more: everything goes on, elsewhere.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

class FullStoreTest : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root mounts";
    // Mounts of a namespace of this process go with it.
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    fs::create_directory(cache_);
  }
  void TearDown() override { ::umount2(cache_.c_str(), MNT_DETACH); }

  Store open(const char* tmpfs_options) {
    EXPECT_EQ(::mount("tmpfs", cache_.c_str(), "tmpfs", 0, tmpfs_options), 0);
    return Store(cache_ / "native",
                 {.warn = [this](const std::string& message) { warnings_.push_back(message); },
                  .owner = Owner::store,
                  .spill = spill_});
  }

  static void download(Store& store, const std::string& content) {
    auto download = store.blobs().download(blob_of(content));
    ASSERT_TRUE(download);
    while (download->offset() < content.size()) {
      const auto begin = static_cast<std::size_t>(download->offset());
      download->write(std::as_bytes(std::span(content))
                          .subspan(begin, std::min<std::size_t>(5000, content.size() - begin)));
    }
    EXPECT_TRUE(download->finish());
  }

  // As who unpacks an image: once more where the first place takes no more.
  static fs::path make_tree(Store& store, const std::string& content) {
    for (;;) {
      auto making = store.trees().make(chain());
      if (!making) throw util::Error("the tree is there already");
      try {
        sys::write_file(making->root() / "file", content);
        return making->commit(Fidelity::whole);
      } catch (const util::Error& error) {
        if (!store.trees().give_up(std::move(*making), error)) throw;
      }
    }
  }

  static Blob blob_of(const std::string& content) { return {hash::sha256(content), content.size()}; }
  static hash::Digest chain() { return hash::sha256("chain"); }

  void expect_nothing_partial() const { EXPECT_TRUE(fs::is_empty(cache_ / "native/partial")); }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path cache_ = temp_.path() / "cache";
  fs::path spill_ = temp_.path() / "spill";
  std::vector<std::string> warnings_;
  std::string large_ = std::string(100000, 'x');
};

TEST_F(FullStoreTest, KeepsWhatFitsAndGoesOnElsewhere) {
  auto store = open("size=64k");
  const auto small = store.blobs().put("small");
  EXPECT_TRUE(warnings_.empty());
  EXPECT_EQ(store.blobs().put(large_), blob_of(large_));
  ASSERT_EQ(warnings_.size(), 1);
  EXPECT_EQ(
      warnings_[0].rfind("nothing more of this build is kept in '" + (cache_ / "native").string() + "': ", 0),
      0);
  EXPECT_TRUE(warnings_[0].ends_with("No space left on device"));
  EXPECT_EQ(store.blobs().read(small), "small");
  EXPECT_EQ(store.blobs().read(blob_of(large_)), large_);
  store.names().put("name", small);
  download(store, large_ + "y");
  make_tree(store, "content");
  EXPECT_EQ(warnings_.size(), 1);
  expect_nothing_partial();
}

TEST_F(FullStoreTest, TakesWhatWasDownloadedAlong) {
  auto store = open("size=64k");
  download(store, large_);
  EXPECT_EQ(store.blobs().read(blob_of(large_)), large_);
  EXPECT_EQ(warnings_.size(), 1);
  expect_nothing_partial();
}

TEST_F(FullStoreTest, OfOneWhoWaitsForADownloadThatMovesIsNoConcern) {
  auto store = open("size=64k");
  auto first = store.blobs().download(blob_of(large_));
  ASSERT_TRUE(first);
  store.blobs().put(large_ + "y");  // from here on everything goes elsewhere
  download(store, large_);
  first->write(std::as_bytes(std::span(large_)));
  EXPECT_TRUE(first->finish());
  EXPECT_EQ(store.blobs().read(blob_of(large_)), large_);
  first.reset();
  expect_nothing_partial();
}

TEST_F(FullStoreTest, UnpacksElsewhere) {
  auto store = open("size=64k");
  const auto root = make_tree(store, large_);
  EXPECT_TRUE(fs::equivalent(root, spill_ / "trees" / chain().hex() / "root"));
  EXPECT_EQ(store.trees().find(chain()), root);
  EXPECT_EQ(warnings_.size(), 1);
  expect_nothing_partial();
}

TEST_F(FullStoreTest, WithoutInodesIsPassedOver) {
  // The root, the store with its mark and lock, and five folders; one more for cache mounts.
  auto store = open("size=1m,nr_inodes=10");
  EXPECT_EQ(store.blobs().put("small"), blob_of("small"));
  store.names().put("name", blob_of("small"));
  download(store, large_);
  make_tree(store, "content");
  store.mounts().lease(hash::sha256("key"), Sharing::shared, [](int) {});
  EXPECT_EQ(warnings_.size(), 1) << testing::PrintToString(warnings_);
  EXPECT_EQ(store.blobs().read(blob_of(large_)), large_);
  expect_nothing_partial();
}

TEST_F(FullStoreTest, HasItsCacheMountsElsewhereAlsoThoseThatWereThere) {
  const auto lease = [](Store& store, const std::string& key) {
    return store.mounts().lease(hash::sha256(key), Sharing::shared, [](int) {});
  };
  const auto is_in = [](const fs::path& store, const Mounts::Lease& found, const std::string& key) {
    return fs::equivalent(store / "mounts" / hash::sha256(key).hex() / "root",
                          "/proc/self/fd/" + std::to_string(found.directory()));
  };
  auto store = open("size=2m");
  EXPECT_TRUE(is_in(cache_ / "native", lease(store, "key"), "key"));
  sys::write_file(cache_ / "other", std::string(1'500'000, 'x'));
  EXPECT_TRUE(is_in(spill_, lease(store, "key"), "key"));
  EXPECT_TRUE(is_in(spill_, lease(store, "other"), "other"));
  ASSERT_EQ(warnings_.size(), 1);
  EXPECT_TRUE(warnings_[0].ends_with("No space left on device"));
  EXPECT_TRUE(store.was_full());
  expect_nothing_partial();
}

TEST_F(FullStoreTest, HasItsCacheMountsElsewhereWhereItIsReadOnly) {
  auto store = open("size=8m");
  const auto lease = [&] { return store.mounts().lease(hash::sha256("key"), Sharing::locked, [](int) {}); };
  lease();
  const auto root = cache_ / "native/mounts" / hash::sha256("key").hex() / "root";
  ASSERT_EQ(::mount("tmpfs", root.c_str(), "tmpfs", MS_RDONLY, nullptr), 0);
  lease();
  EXPECT_TRUE(fs::exists(spill_ / "mounts" / hash::sha256("key").hex()));
  ASSERT_EQ(warnings_.size(), 1);
  EXPECT_TRUE(warnings_[0].ends_with("Read-only file system"));
}

TEST_F(FullStoreTest, PreparesACacheMountElsewhereOnceMore) {
  auto store = open("size=8m");
  int prepared = 0;
  store.mounts().lease(hash::sha256("key"), Sharing::shared, [&](int) {
    if (++prepared == 1) throw util::Error("full", util::Cause{.code = {ENOSPC, std::generic_category()}});
  });
  EXPECT_EQ(prepared, 2);
  EXPECT_EQ(warnings_.size(), 1);
  expect_nothing_partial();
}

TEST_F(FullStoreTest, FailsWhereThereIsNothingElse) {
  ASSERT_EQ(::mount("tmpfs", cache_.c_str(), "tmpfs", 0, "size=64k"), 0);
  Store store(cache_ / "native");
  EXPECT_THROW(store.blobs().put(large_), util::Error);
}

TEST_F(FullStoreTest, IsNotBlamedForATreeThatFailsForAnotherReason) {
  auto store = open("size=16m");
  auto making = store.trees().make(chain());
  EXPECT_FALSE(store.trees().give_up(std::move(*making), util::Error("a damaged layer")));
  EXPECT_TRUE(warnings_.empty());
}

}  // namespace
}  // namespace store
