// Blobs whose bytes need not be read again, and those that must.
#include "common/store/blob_seal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/store/late_checks.hpp"
#include "common/store/store.hpp"
#include "common/sys/temp_dir.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

class BlobSealTest : public testing::Test {
protected:
  bool has() {
    Store store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); }});
    return store.blobs().has(blob_, Check::digest);
  }

  bool is_sealed() { return Store(directory_).blobs().is_sealed(blob_); }

  // As builds do: the first that comes some milliseconds after the last change.
  void seal() {
    while (!is_sealed())
      ASSERT_TRUE(has());
  }

  void write(std::string_view byte) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(70'000);
    file << byte;
  }

  struct stat status() const {
    struct stat status = {};
    EXPECT_EQ(::lstat(path_.c_str(), &status), 0);
    return status;
  }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path directory_ = temp_.path() / "store";
  Blob blob_ = Store(directory_).blobs().put(std::string(100'000, 'x'));
  fs::path path_ = directory_ / "blobs/sha256" / blob_.digest.hex();
  std::vector<std::string> warnings_;
};

TEST_F(BlobSealTest, IsMadeByWhoReadsTheBytesAndSparesTheNextOneThat) {
  EXPECT_FALSE(is_sealed());
  seal();
  // No build can do this: whatever it changes breaks the seal.
  write("y");
  EXPECT_FALSE(is_sealed());
  const Folder folder(sys::UniqueFd(::open((directory_ / "blobs/sha256").c_str(), O_PATH | O_DIRECTORY)),
                      "blobs");
  while (!is_sealed())
    put_seal(folder, blob_.digest.hex(), status());
  EXPECT_TRUE(has());
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(BlobSealTest, IsBrokenByEveryChange) {
  seal();
  const auto before = status();
  write("y");
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  EXPECT_FALSE(is_sealed());
  EXPECT_FALSE(has());
  EXPECT_EQ(warnings_.size(), 1U);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(BlobSealTest, IsBrokenByACopyWhoseBytesAreReadAndSealedThen) {
  seal();
  fs::copy_file(path_, temp_.path() / "copy");
  fs::rename(temp_.path() / "copy", path_);
  EXPECT_FALSE(is_sealed());
  seal();
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(BlobSealTest, ThatSaysAnythingElseIsNone) {
  seal();
  const auto note = path_.string() + ".used";
  std::string text;
  std::getline(std::ifstream(note), text);
  for (const auto& other :
       {std::string(), text.substr(0, 40), text.substr(0, text.size() - 4) + "0000\n", text + text}) {
    std::ofstream(note) << other;
    EXPECT_FALSE(is_sealed()) << other;
  }
  seal();
}

TEST_F(BlobSealTest, IsLookedAtOnceMoreWhenAllHasBeenCopied) {
  seal();
  Store store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); }});
  {
    LateChecks checks(store.blobs());
    checks.add(blob_);
    EXPECT_TRUE(checks.finish());
  }
  Store later(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); }});
  LateChecks checks(later.blobs());
  checks.add(blob_);
  write("y");
  EXPECT_FALSE(checks.finish());
  EXPECT_EQ(warnings_.size(), 1U);
}

// A small one is read as quickly, and its time is that of its last use.
TEST_F(BlobSealTest, IsNotThereForASmallBlob) {
  blob_ = Store(directory_).blobs().put("small");
  EXPECT_TRUE(has());
  EXPECT_FALSE(is_sealed());
}

}  // namespace
}  // namespace store
