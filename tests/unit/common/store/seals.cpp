// Records of files that were read, and damaged ones.
#include "common/store/seals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace store {
namespace {

class SealsTest : public testing::Test {
protected:
  struct File {
    std::string path;
    sys::FileState state;
    hash::Digest digest = hash::sha256(path);
  };

  static File file(const std::string& path, std::uint64_t number) {
    return {.path = path, .state = {.inode = number, .size = 2, .modified = 3, .changed = 4}};
  }

  void keep(const std::vector<File>& files) {
    auto writer = store_.seals()->write(name_);
    ASSERT_TRUE(writer);
    for (const auto& file : files)
      writer->add(file.path, file.state, file.digest);
    writer->commit();
  }

  // Of how many of these files the digest is known. A wrong one is known of none.
  std::size_t known(const std::vector<File>& files) {
    auto reader = store_.seals()->read(name_);
    if (!reader) return 0;
    return static_cast<std::size_t>(std::count_if(files.begin(), files.end(), [&](const File& file) {
      const auto found = reader->find(file.path, file.state);
      EXPECT_EQ(found.value_or(file.digest), file.digest);
      return found.has_value();
    }));
  }

  std::string record() const { return sys::read_file(path_); }

  sys::TempDir temp_{std::filesystem::temp_directory_path()};
  Store store_{temp_.path() / "store"};
  hash::Digest name_ = hash::sha256("a directory");
  std::filesystem::path path_ = temp_.path() / "store/steps" / name_.hex();
  // As a walk shows them.
  std::vector<File> files_ = {file("a", 1),      file("a-b", 2), file("b/c", 3), file("b/c.d", 4),
                              file("b/ca/x", 5), file("b.c", 6), file("b0", 7),  file("\xff", 8)};
};

TEST_F(SealsTest, AreFoundByPathAndState) {
  EXPECT_EQ(known(files_), 0U);
  keep(files_);
  EXPECT_EQ(known(files_), files_.size());
  for (auto change : {&sys::FileState::inode, &sys::FileState::size}) {
    auto changed = files_;
    ++(changed[3].state.*change);
    EXPECT_EQ(known(changed), files_.size() - 1);
  }
  for (auto change : {&sys::FileState::modified, &sys::FileState::changed}) {
    auto changed = files_;
    ++(changed[3].state.*change);
    EXPECT_EQ(known(changed), files_.size() - 1);
  }
}

TEST_F(SealsTest, AreFoundBetweenFilesThatAreGoneAndNewOnes) {
  auto kept = files_;
  kept.erase(kept.begin() + 2, kept.begin() + 5);
  keep(kept);
  EXPECT_EQ(known(files_), kept.size());
  keep(files_);
  EXPECT_EQ(known(kept), kept.size());
}

TEST_F(SealsTest, OfVeryManyFilesAreWhole) {
  files_.clear();
  for (int i = 100'000; i < 105'000; ++i)
    files_.push_back(file("directory/" + std::to_string(i), static_cast<std::uint64_t>(i)));
  keep(files_);
  EXPECT_EQ(known(files_), files_.size());
  // Up to damage, then no further.
  auto text = record();
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  sys::write_file(path_, text);
  EXPECT_LT(known(files_), files_.size());
  EXPECT_GT(known(files_), 0U);
}

TEST_F(SealsTest, ThatAreDamagedAreNone) {
  keep(files_);
  const auto whole = record();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto text = whole;
    text[i] = static_cast<char>(text[i] ^ 0x10);
    sys::write_file(path_, text);
    EXPECT_EQ(known(files_), 0U) << "byte " << i;
    sys::write_file(path_, whole.substr(0, i));
    EXPECT_EQ(known(files_), 0U) << "cut at " << i;
  }
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(known(files_), 0U);
  keep(files_);
  EXPECT_EQ(known(files_), files_.size());
}

TEST_F(SealsTest, OfAnotherBootAreNone) {
  keep(files_);
  auto text = record();
  const auto boot = text.find(' ') + 1;
  text[boot] = text[boot] == '0' ? '1' : '0';
  sys::write_file(path_, text);
  EXPECT_EQ(known(files_), 0U);
}

TEST_F(SealsTest, AreNotThereForOneBuild) {
  EXPECT_EQ(Store(temp_.path() / "other", {.life = Life::one_build}).seals(), nullptr);
}

}  // namespace
}  // namespace store
