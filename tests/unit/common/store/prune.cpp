#include "common/store/prune.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "common/hash/sha256.hpp"
#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/deep_tree.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::uint64_t size = 100 << 10;

class PruneTest : public testing::Test {
protected:
  Store open() {
    return Store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); }});
  }

  // A blob of `size` bytes, each another one.
  static Blob put(Store& store, char content) { return store.blobs().put(std::string(size, content)); }

  static fs::path make_tree(Store& store, const std::string& name) {
    auto making = store.trees().make(hash::sha256(name));
    sys::write_file(making->root() / "file", std::string(size, 'x'));
    return making->commit(Fidelity::whole);
  }

  // A cache mount of `size` bytes.
  static void use_mount(Store& store, const std::string& name) {
    const auto lease = store.mounts().lease(hash::sha256(name), Sharing::locked, [](int) {});
    sys::write_file("/proc/self/fd/" + std::to_string(lease.directory()) + "/file", std::string(size, 'x'));
  }

  fs::path mount(const std::string& name) const { return directory_ / "mounts" / hash::sha256(name).hex(); }
  fs::path blob(char content) const {
    return directory_ / "blobs/sha256" / hash::sha256(std::string(size, content)).hex();
  }
  fs::path tree(const std::string& name) const { return directory_ / "trees" / hash::sha256(name).hex(); }

  static void set_last_use(const fs::path& entry, std::chrono::seconds ago) {
    timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {}};
    times[1].tv_sec = ::time(nullptr) - ago.count();
    ASSERT_EQ(::utimensat(AT_FDCWD, entry.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path directory_ = temp_.path() / "store";
  std::vector<std::string> warnings_;
};

TEST_F(PruneTest, WhatWasUsedLongestAgoGoesFirst) {
  {
    auto store = open();
    put(store, 'a');
    put(store, 'b');
    put(store, 'c');
    make_tree(store, "tree");
  }
  set_last_use(blob('a'), 4h);
  set_last_use(blob('b'), 3h);
  set_last_use(tree("tree"), 2h);
  set_last_use(blob('c'), 1h);
  const auto pruned = open().prune({.bytes = 2 * size + size / 2, .age = 24h});
  ASSERT_TRUE(pruned);
  EXPECT_EQ(pruned->entries, 2U);
  EXPECT_GE(pruned->freed, 2 * size);
  EXPECT_GE(pruned->left, 2 * size);
  EXPECT_LE(pruned->left, 2 * size + size / 2);
  EXPECT_FALSE(fs::exists(blob('a')));
  EXPECT_FALSE(fs::exists(blob('b')));
  EXPECT_TRUE(fs::exists(tree("tree")));
  EXPECT_TRUE(fs::exists(blob('c')));
}

TEST_F(PruneTest, WhatThisBuildUsedStaysWhateverItsSize) {
  {
    auto store = open();
    store.names().put("debian", put(store, 'a'));
    store.names().put("alpine", put(store, 'b'));
    make_tree(store, "used");
    make_tree(store, "unused");
  }
  for (const auto* folder : {"blobs/sha256", "names", "trees"}) {  // what is in a tree is as it was made
    for (const auto& entry : fs::directory_iterator(directory_ / folder))
      set_last_use(entry.path(), 1h);
  }
  auto store = open();
  EXPECT_TRUE(store.blobs().has(store.names().find("debian").value(), Check::size));
  EXPECT_TRUE(store.trees().find(hash::sha256("used")));
  put(store, 'n');
  ASSERT_TRUE(store.prune({.bytes = 0, .age = 0s}));
  EXPECT_TRUE(fs::exists(blob('a')));
  EXPECT_TRUE(fs::exists(blob('n')));
  EXPECT_TRUE(fs::exists(tree("used")));
  EXPECT_FALSE(fs::exists(blob('b')));
  EXPECT_FALSE(fs::exists(tree("unused")));
  auto next = open();
  EXPECT_TRUE(next.names().find("debian"));
  EXPECT_FALSE(next.names().find("alpine"));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PruneTest, WhatAStoreTakesIsToldByItsParts) {
  auto store = open();
  const auto before = store.usage();
  EXPECT_LT(before.total(), size);
  store.names().put("debian", put(store, 'a'));
  make_tree(store, "tree");
  make_tree(store, "other");
  use_mount(store, "mount");
  const auto after = store.usage();  // a thread may be writing what it has found out about a tree
  EXPECT_GE(after.blobs - before.blobs, size);
  EXPECT_GE(after.trees - before.trees, 2 * size);
  EXPECT_GE(after.mounts, size);
  EXPECT_GT(after.records, before.records);
  EXPECT_LT(after.total(), 5 * size);
  // Also once it is pruned.
  ASSERT_TRUE(store.prune({.bytes = 0}));
  EXPECT_EQ(store.usage().blobs, after.blobs);
  EXPECT_GE(store.usage().trees, 2 * size);
}

TEST_F(PruneTest, WhatIsTooOldGoesHoweverMuchRoomThereIs) {
  {
    auto store = open();
    put(store, 'a');
    put(store, 'b');
  }
  set_last_use(blob('a'), 49h);
  set_last_use(blob('b'), 47h);
  const auto pruned = open().prune({.age = 48h});
  ASSERT_TRUE(pruned);
  EXPECT_EQ(pruned->entries, 1U);
  EXPECT_FALSE(fs::exists(blob('a')));
  EXPECT_TRUE(fs::exists(blob('b')));
}

TEST_F(PruneTest, CutDownloadsAndHalvesOfTreesCount) {
  {
    auto store = open();
    make_tree(store, "half");
    const Blob cut{hash::sha256("never comes"), 2 * size};
    auto download = store.blobs().download(cut);
    const std::string part(size, 'x');
    download->write(std::as_bytes(std::span(part)));
  }
  fs::remove(tree("half") / "tree.json");
  const auto partial = directory_ / "partial" / hash::sha256("never comes").hex();
  ASSERT_TRUE(fs::exists(partial));
  set_last_use(partial, 1h);
  auto store = open();
  const auto pruned = store.prune({.bytes = size / 2});
  ASSERT_TRUE(pruned);
  EXPECT_EQ(pruned->entries, 2U);
  EXPECT_FALSE(fs::exists(partial));
  EXPECT_FALSE(fs::exists(tree("half")));
}

TEST_F(PruneTest, WhileAnotherBuildHasTheStoreNothingGoes) {
  {
    auto store = open();
    put(store, 'a');
  }
  set_last_use(blob('a'), 1000h);
  auto store = open();
  {
    const auto other = open();
    EXPECT_FALSE(store.prune({.bytes = 0}));
  }
  EXPECT_TRUE(fs::exists(blob('a')));
  EXPECT_TRUE(open().prune({.bytes = 0}));
  EXPECT_FALSE(fs::exists(blob('a')));
}

TEST_F(PruneTest, ATreeSaysWhatItTakesOnDisk) {
  {
    auto store = open();
    make_tree(store, "tree");
  }
  const auto record = sys::read_file(tree("tree") / "tree.json");
  const auto bytes = std::stoull(record.substr(record.find("\"bytes\":") + 8));
  EXPECT_GE(bytes, size);
  EXPECT_LE(bytes, size + (64 << 10));
}

TEST_F(PruneTest, CacheMountsCountAndGoAsAllElse) {
  {
    auto store = open();
    use_mount(store, "old");
    put(store, 'a');
    use_mount(store, "used");
    use_mount(store, "new");
  }
  set_last_use(mount("old"), 4h);
  set_last_use(blob('a'), 3h);
  set_last_use(mount("used"), 3h);
  set_last_use(mount("new"), 1h);
  auto store = open();
  use_mount(store, "used");
  const auto pruned = store.prune({.bytes = 2 * size + size / 2});
  ASSERT_TRUE(pruned);
  EXPECT_EQ(pruned->entries, 2U);
  EXPECT_GE(pruned->freed, 2 * size);
  EXPECT_GE(pruned->left, 2 * size);
  EXPECT_FALSE(fs::exists(mount("old")));
  EXPECT_FALSE(fs::exists(blob('a')));
  EXPECT_TRUE(fs::exists(mount("used") / "root/file"));
  EXPECT_TRUE(fs::exists(mount("new") / "root/file"));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PruneTest, ACacheMountIsCountedAgainOnceItWasUsedAndWhatItTakesMayMatter) {
  const auto left = [this](const Limits& limits, bool is_used = true) {
    auto store = open();
    if (is_used) store.mounts().lease(hash::sha256("mount"), Sharing::shared, [](int) {});
    return store.prune(limits).value().left;
  };
  {
    auto store = open();
    use_mount(store, "mount");
    ASSERT_TRUE(store.prune({}));
  }
  const auto file = mount("mount") / "root/file";
  sys::write_file(file, std::string(3 * size, 'x'));
  EXPECT_LT(left({.bytes = 2 * size}, false), 2 * size);  // nobody has used it
  EXPECT_LT(left({}), 2 * size);                          // there is much room
  EXPECT_GE(left({.bytes = 2 * size}), 3 * size);
  EXPECT_GE(left({}), 3 * size);
  // Not for ever.
  sys::write_file(file, "");
  auto record = sys::read_file(mount("mount") / "mount.json");
  const auto counted = record.find("\"counted\":");
  ASSERT_NE(counted, std::string::npos);
  record[counted + 11] = '0';
  sys::write_file(mount("mount") / "mount.json", record);
  EXPECT_LT(left({}), size);
}

TEST_F(PruneTest, ToCountACacheMountIsNoUseOfIt) {
  {
    auto store = open();
    use_mount(store, "mount");
  }
  set_last_use(mount("mount"), 1h);
  const auto counted = open().prune({});
  ASSERT_TRUE(counted);
  EXPECT_GE(counted->left, size);
  EXPECT_TRUE(fs::exists(mount("mount")));
  const auto pruned = open().prune({.age = 30min});
  ASSERT_TRUE(pruned);
  EXPECT_EQ(pruned->left, 0U);
}

TEST_F(PruneTest, WhatIsInThePlaceOfTheCacheMountsGoesOnce) {
  auto store = open();
  fs::create_directory_symlink(temp_.path(), directory_ / "mounts");
  EXPECT_TRUE(store.prune({.bytes = 0}));
  EXPECT_EQ(warnings_.size(), 1U);
  EXPECT_TRUE(open().prune({.bytes = 0}));
  EXPECT_EQ(warnings_.size(), 1U);
  EXPECT_TRUE(fs::exists(directory_));
}

TEST_F(PruneTest, OfACacheMountNothingIsTooOddToBeCountedAndRemoved) {
  {
    auto store = open();
    use_mount(store, "mount");
    const auto root = mount("mount") / "root";
    test::make_too_deep(root);
    sys::UniqueFd at(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (int level = 0; level < 100; ++level) {
      ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0);
      at = sys::UniqueFd(::openat(at.get(), "d", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    const sys::UniqueFd file(::openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    sys::write_all(file.get(), std::string(size, 'x'), "file");
    ASSERT_EQ(::linkat(at.get(), "file", at.get(), "linked", 0), 0);
    fs::create_symlink(temp_.path(), root / "link");
    ASSERT_EQ(::mkfifo((root / "fifo").c_str(), 0600), 0);
    ASSERT_EQ(::chmod(root.c_str(), 0), 0);
    const auto pruned = store.prune({});
    ASSERT_TRUE(pruned);
    EXPECT_GE(pruned->left, 2 * size);
    EXPECT_LT(pruned->left, 2 * size + 200 * 4096);
  }
  ASSERT_TRUE(open().prune({.bytes = 0}));
  EXPECT_TRUE(fs::is_empty(directory_ / "mounts"));
  EXPECT_TRUE(warnings_.empty());
}

// In an overlay the kernel would copy it, to set a time.
TEST_F(PruneTest, AUseOfALargeBlobLeavesTheFileAsItIs) {
  const Blob used = put(*std::make_unique<Store>(directory_), 'a');
  put(*std::make_unique<Store>(directory_), 'b');
  for (const auto content : {'a', 'b'})
    set_last_use(blob(content), 4h);
  const auto before = fs::last_write_time(blob('a'));
  ASSERT_TRUE(open().blobs().open_file(used, Check::size));
  EXPECT_EQ(fs::last_write_time(blob('a')), before);
  ASSERT_TRUE(open().prune({.bytes = size + size / 2}));
  EXPECT_TRUE(fs::exists(blob('a')));
  EXPECT_FALSE(fs::exists(blob('b')));
  // What tells of the use goes with the blob, or alone.
  set_last_use(blob('a').string() + ".used", 4h);
  sys::write_file(blob('b').string() + ".used", "");
  ASSERT_TRUE(open().prune({.bytes = 0}));
  EXPECT_TRUE(fs::is_empty(blob('a').parent_path()));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PruneTest, ACacheMountThatIsOnlyPartlyRemovedIsNotThere) {
  {
    auto store = open();
    use_mount(store, "mount");
  }
  set_last_use(mount("mount"), 1h);
  sys::Canceller canceller;
  {
    Store store(directory_, {.cancel = canceller.cancellation()});
    canceller.cancel();
    EXPECT_THROW(store.prune({.bytes = 0}), util::Error);
  }
  fs::remove(mount("mount") / "mount.json");  // as a removal begins
  int prepared = 0;
  open().mounts().lease(hash::sha256("mount"), Sharing::shared, [&](int) { ++prepared; });
  EXPECT_EQ(prepared, 1);
  EXPECT_FALSE(fs::exists(mount("mount") / "root/file"));
  EXPECT_TRUE(warnings_.empty());
}

}  // namespace
}  // namespace store
