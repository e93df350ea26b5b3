// Reads what GNU tar writes, in every format it knows.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/sys/file.hpp"
#include "common/sys/process.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/tar/reader.hpp"

namespace {

class GnuTar : public testing::TestWithParam<std::vector<std::string>> {
protected:
  // One of everything that every format can hold.
  void SetUp() override {
    std::filesystem::create_directory(tree_);
    sys::write_file(tree_ / "file", "hello");
    std::filesystem::create_hard_link(tree_ / "file", tree_ / "link");
    std::filesystem::create_symlink("../target", tree_ / "symlink");
    sys::write_file(tree_ / "sparse", "begin");
    std::filesystem::resize_file(tree_ / "sparse", 10 << 20);
    const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1'000'000'000, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (tree_ / "file").c_str(), times, 0), 0);
  }

  void pack(const std::string& name) {
    std::vector<std::string> argv = {"tar",        "-C", temp_.path().string(), "-cf", archive().string(),
                                     "--sort=name"};
    argv.insert(argv.end(), GetParam().begin(), GetParam().end());
    argv.push_back(name);
    ASSERT_TRUE(sys::start({.argv = argv}).wait().success());
  }

  std::vector<tar::Entry> entries() {
    const auto source = stream::from_fd(sys::open_readable(archive()), "'a.tar'");
    tar::Reader reader(*source, "'a.tar'");
    std::vector<tar::Entry> all;
    tar::Entry entry;
    while (reader.next(entry))
      all.push_back(entry);
    return all;
  }

  std::filesystem::path archive() const { return temp_.path() / "a.tar"; }

  sys::TempDir temp_{std::filesystem::temp_directory_path()};
  std::filesystem::path tree_ = temp_.path() / "tree";
};

}  // namespace

TEST_P(GnuTar, IsReadAsItWasWritten) {
  pack("tree");
  const auto all = entries();
  std::vector<std::string> names;
  for (const auto& entry : all)
    names.push_back(entry.path);
  ASSERT_EQ(names,
            (std::vector<std::string>{"tree/", "tree/file", "tree/link", "tree/sparse", "tree/symlink"}));
  EXPECT_EQ(all[0].type, tar::Type::directory);
  EXPECT_EQ(all[1].type, tar::Type::regular);
  EXPECT_EQ(all[1].size, 5u);
  EXPECT_EQ(all[1].mtime.seconds, 1'000'000'000);
  EXPECT_EQ(all[1].uid, ::getuid());
  EXPECT_EQ(all[2].type, tar::Type::hard_link);
  EXPECT_EQ(all[2].link_target, "tree/file");
  EXPECT_EQ(all[3].size, 10u << 20);
  EXPECT_EQ(all[4].link_target, "../target");
}

TEST_P(GnuTar, KeepsLongNamesWhereTheFormatDoes) {
  // v7 and ustar have 100 bytes for a name without a slash.
  const bool short_only = GetParam().front() == "--format=v7" || GetParam().front() == "--format=ustar";
  const std::string name = "tree/" + std::string(short_only ? 90 : 200, 'n');
  sys::write_file(temp_.path() / name, "x");
  pack(name);
  EXPECT_EQ(entries().at(0).path, name);
}

INSTANTIATE_TEST_SUITE_P(
    Formats, GnuTar,
    testing::Values(std::vector<std::string>{"--format=v7"}, std::vector<std::string>{"--format=oldgnu"},
                    std::vector<std::string>{"--format=gnu"}, std::vector<std::string>{"--format=ustar"},
                    std::vector<std::string>{"--format=posix"},
                    std::vector<std::string>{"--format=gnu", "--sparse"},
                    std::vector<std::string>{"--format=posix", "--sparse", "--sparse-version=0.0"},
                    std::vector<std::string>{"--format=posix", "--sparse", "--sparse-version=0.1"},
                    std::vector<std::string>{"--format=posix", "--sparse", "--sparse-version=1.0"}));
