// A store that is only looked at.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

const auto looked_up_key = hash::sha256("question");

class LookTest : public testing::Test {
protected:
  Store look() {
    return Store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); },
                              .access = Access::look,
                              .spill = temp_.path() / "spill"});
  }

  // Of each entry: the inode, its size, and when it was changed last in any way, which nobody can set.
  using State = std::map<std::string, std::tuple<ino_t, off_t, time_t, long>>;
  State state() const {
    State found;
    const auto add = [&](const fs::path& path) {
      struct stat status = {};
      ASSERT_EQ(::lstat(path.c_str(), &status), 0);
      found[path.string()] = {status.st_ino, status.st_size, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
    };
    add(directory_);
    for (const auto& entry : fs::recursive_directory_iterator(directory_))
      add(entry.path());
    return found;
  }

  sys::TempDir temp_{testing::TempDir()};
  fs::path directory_ = temp_.path() / "store";
  std::vector<std::string> warnings_;
};

TEST_F(LookTest, GivesWhatIsThereAndTakesWhatIsWritten) {
  const auto kept = Store(directory_).blobs().put("kept");
  {
    Store store(directory_);
    store.names().put("name", kept);
    store.steps().put_note(looked_up_key, kept.digest);
  }
  const auto before = state();
  {
    auto store = look();
    EXPECT_EQ(store.blobs().read(kept), "kept");
    EXPECT_EQ(store.names().find("name"), kept);
    EXPECT_EQ(store.steps().note(looked_up_key), kept.digest);
    const auto written = store.blobs().put("written");
    EXPECT_EQ(store.blobs().read(written), "written");
    auto download = store.blobs().download({hash::sha256("fetched"), 7});
    ASSERT_TRUE(download);
    download->write(std::as_bytes(std::span(std::string_view("fetched"))));
    EXPECT_TRUE(download->finish());
    store.names().put("name", written);
    store.steps().put_note(looked_up_key, written.digest);
  }
  EXPECT_EQ(state(), before);
  EXPECT_EQ(warnings_, std::vector<std::string>());
}

TEST_F(LookTest, LeavesDamageWhereItIs) {
  const auto cut = Store(directory_).blobs().put("cut short");
  const auto changed = Store(directory_).blobs().put("changed");
  Store(directory_).steps().put_note(looked_up_key, cut.digest);
  sys::write_file(directory_ / "blobs/sha256" / cut.digest.hex(), "cut");
  sys::write_file(directory_ / "blobs/sha256" / changed.digest.hex(), "CHANGED");
  sys::write_file(directory_ / "steps" / looked_up_key.hex(), "{");
  const auto before = state();
  {
    auto store = look();
    EXPECT_FALSE(store.blobs().has(cut, Check::size));
    EXPECT_EQ(store.blobs().read(changed), std::nullopt);
    EXPECT_EQ(store.steps().note(looked_up_key), std::nullopt);
  }
  EXPECT_EQ(state(), before);
  // A build says it, and removes it.
  EXPECT_EQ(warnings_, std::vector<std::string>());
}

TEST_F(LookTest, NeedsAWholeStore) {
  EXPECT_FALSE(is_store(directory_));
  EXPECT_FALSE(fs::exists(directory_));
  fs::create_directory(directory_);
  EXPECT_FALSE(is_store(directory_));
  EXPECT_TRUE(fs::is_empty(directory_));
  { Store store(directory_); }
  EXPECT_TRUE(is_store(directory_));
  fs::remove(directory_ / "steps");
  EXPECT_FALSE(is_store(directory_));
  { Store store(directory_); }
  sys::write_file(directory_ / "format", "oci-build-store/0\n");
  EXPECT_FALSE(is_store(directory_));
}

}  // namespace
}  // namespace store
