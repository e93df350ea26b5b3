// Folders of a store in use that somebody exchanges for symlinks: nothing outside is read, changed or
// removed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

Blob whole(std::string_view content) {
  return {hash::sha256(content), content.size()};
}

class ExchangeTest : public testing::Test {
protected:
  // A store that holds what the one in use does not, as whoever exchanges folders would prepare one.
  void SetUp() override {
    {
      Store store(outside_);
      fill(store, "outside");
      make_tree(store, hash::sha256("outside chain"), "outside");
      lease_mount(store, "outside");
      // What killed builds leave goes with the next start.
      fs::create_directory(outside_ / "partial/new-precious");
      std::ofstream(outside_ / "partial/new-precious/file") << "precious";
      std::ofstream(outside_ / "partial" / whole("inside later").digest.hex()) << "outside";
    }
    auto store = open();
    fill(store, "inside");
    make_tree(store, hash::sha256("inside chain"), "inside");
    lease_mount(store, "inside");
    before_ = everything_outside();
  }

  Store open() {
    return Store(directory_, {.warn = [](const std::string&) {}, .owner = Owner::store});
  }

  static void fill(Store& store, const std::string& content) {
    store.blobs().put(content);
    store.names().put(content, whole(content));
  }

  static fs::path make_tree(Store& store, const hash::Digest& chain, const std::string& content) {
    auto making = store.trees().make(chain);
    if (!making) throw util::Error("the tree is there already");
    sys::write_file(making->root() / "file", content);
    auto root = making->commit(Fidelity::whole);
    store.trees().finish();
    return root;
  }

  static Mounts::Lease lease_mount(Store& store, const std::string& key) {
    return store.mounts().lease(hash::sha256(key), Sharing::private_, [&](int directory) {
      EXPECT_EQ(::mkdirat(directory, (key + " mount").c_str(), 0755), 0);
    });
  }

  static bool has_file(const Mounts::Lease& lease, const std::string& name) {
    return ::faccessat(lease.directory(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  }

  // By path, with all that a change would show in.
  std::map<std::string, std::string> everything_outside() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(outside_)) {
      struct stat status = {};
      EXPECT_EQ(::lstat(entry.path().c_str(), &status), 0);
      auto& text = found[entry.path().string()];
      text = std::to_string(status.st_ino) + " " + std::to_string(status.st_mode) + " " +
             std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) + " ";
      if (entry.is_regular_file() && !entry.is_symlink()) text += sys::read_file(entry.path());
    }
    return found;
  }

  // Everything that a build asks of a store. Whatever fails does so with an error of ours.
  static void use(Store& store, const fs::path& outside) {
    const auto attempt = [](const std::function<void()>& action) {
      try {
        action();
      } catch (const util::Error&) {}
    };
    // Nothing from outside is taken.
    attempt([&] { EXPECT_EQ(store.blobs().read(whole("outside")), std::nullopt); });
    attempt([&] { EXPECT_EQ(store.blobs().open(whole("outside")), nullptr); });
    attempt([&] { EXPECT_EQ(store.names().find("outside"), std::nullopt); });
    attempt([&] { EXPECT_EQ(store.trees().find(hash::sha256("outside chain")), std::nullopt); });
    // Nothing is damaged, dropped or written there.
    attempt([&] { store.blobs().discard(whole("outside").digest); });
    attempt([&] { store.blobs().read({whole("outside").digest, 1}); });
    attempt([&] { fill(store, "inside too"); });
    attempt([&] {
      auto blob = store.blobs().create();
      sys::write_all(blob.file().fd, "created", "blob");
      blob.commit(whole("created"));
    });
    attempt([&] {
      auto dropped = store.blobs().create();
      sys::write_all(dropped.file().fd, "dropped", "blob");
    });
    attempt([&] {
      auto download = store.blobs().download(whole("inside later"));
      ASSERT_TRUE(download);
      EXPECT_EQ(download->offset(), 0);  // of what lies outside nothing is taken along
      download->write(std::as_bytes(std::span(std::string_view("inside later"))));
      EXPECT_TRUE(download->finish());
    });
    attempt([&] { store.blobs().download(whole("never finished")); });
    attempt([&] {
      const auto root = store.trees().find(hash::sha256("inside chain"));
      EXPECT_EQ(root ? sys::read_file(*root / "file") : "inside", "inside");
    });
    attempt([&] {
      EXPECT_EQ(sys::read_file(make_tree(store, hash::sha256("new chain"), "new") / "file"), "new");
    });
    attempt([&] {
      auto making = store.trees().make(hash::sha256("given up"));
      ASSERT_TRUE(making);
      EXPECT_FALSE(store.trees().give_up(std::move(*making), util::Error("damaged")));
    });
    for (const std::string key : {"inside", "outside", "new"}) {
      attempt([&] {
        const auto lease = lease_mount(store, key);
        EXPECT_TRUE(has_file(lease, key + " mount"));
        EXPECT_FALSE(fs::equivalent("/proc/self/fd/" + std::to_string(lease.directory()),
                                    outside / "mounts" / hash::sha256("outside").hex() / "root"));
      });
    }
    attempt([&] { store.is_sound(); });
    attempt([&] { store.trees().finish(); });
  }

  fs::path place() const { return directory_ / "trees" / hash::sha256("inside chain").hex(); }

  sys::TempDir temp_{fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()};
  fs::path outside_ = temp_.path() / "outside";
  fs::path directory_ = temp_.path() / "store";
  std::map<std::string, std::string> before_;
};

TEST_F(ExchangeTest, OfAnyFolderLeadsAnOpenStoreNowhere) {
  for (const std::string folder : {"", "blobs", "blobs/sha256", "names", "partial", "trees", "mounts"}) {
    SCOPED_TRACE(folder);
    auto store = open();
    const auto path = folder.empty() ? directory_ : directory_ / folder;
    fs::rename(path, temp_.path() / "aside");
    fs::create_directory_symlink(outside_ / folder, path);
    use(store, outside_);
    EXPECT_EQ(everything_outside(), before_);
    // Whoever opens the store now does not follow either.
    { open(); }
    EXPECT_EQ(everything_outside(), before_);
    fs::remove_all(path);
    fs::rename(temp_.path() / "aside", path);
    fs::remove_all(directory_ / "trees" / hash::sha256("new chain").hex());
    fs::remove(directory_ / "blobs/sha256" / whole("inside later").digest.hex());
  }
}

TEST_F(ExchangeTest, OfACacheMountChangesNothingForWhoUsesIt) {
  auto store = open();
  const auto lease = lease_mount(store, "inside");
  const auto place = directory_ / "mounts" / hash::sha256("inside").hex();
  for (const auto& path : {place / "root", place, directory_ / "mounts"}) {
    fs::rename(path, temp_.path() / "aside");
    fs::create_directory_symlink(outside_, path);
    EXPECT_TRUE(has_file(lease, "inside mount"));
    EXPECT_TRUE(has_file(lease_mount(store, "new"), "new mount"));
    fs::remove(path);
    fs::rename(temp_.path() / "aside", path);
  }
  EXPECT_EQ(everything_outside(), before_);
}

TEST_F(ExchangeTest, OfATreeChangesNothingForWhoHasItAlready) {
  auto store = open();
  const auto root = store.trees().find(hash::sha256("inside chain")).value();
  for (const auto& path : {place() / "root", place(), directory_ / "trees"}) {
    fs::rename(path, temp_.path() / "aside");
    fs::create_directory_symlink(outside_, path);
    EXPECT_EQ(sys::read_file(root / "file"), "inside");
    fs::remove(path);
    fs::rename(temp_.path() / "aside", path);
  }
}

TEST_F(ExchangeTest, OfTheFilesOfATreeForALinkIsDamage) {
  fs::remove_all(place() / "root");
  fs::create_directory_symlink("/", place() / "root");
  auto store = open();
  EXPECT_EQ(store.trees().find(hash::sha256("inside chain")), std::nullopt);
}

TEST_F(ExchangeTest, OfATreeThatIsBeingMadePutsWhatWasMadeNowhereElse) {
  auto store = open();
  auto making = store.trees().make(hash::sha256("new chain"));
  ASSERT_TRUE(making);
  const auto partial = directory_ / "partial";
  for (const auto& entry : fs::directory_iterator(partial)) {
    if (!entry.is_directory()) continue;
    fs::rename(entry.path(), temp_.path() / "aside");
    fs::create_directory_symlink(outside_, entry.path());
    break;
  }
  sys::write_file(making->root() / "file", "new");
  EXPECT_EQ(sys::read_file(temp_.path() / "aside/root/file"), "new");
  EXPECT_EQ(sys::read_file(making->commit(Fidelity::whole) / "file"), "new");
  EXPECT_EQ(everything_outside(), before_);
}

}  // namespace
}  // namespace store
