// Differences of two directories.
#include "common/layer/diff.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"

namespace layer {
namespace {

namespace fs = std::filesystem;

class Diff : public testing::Test {
protected:
  std::vector<std::string> changes() const {
    const sys::UniqueFd upper_fd(::open(upper().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const sys::UniqueFd lower_fd(::open(lower().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::vector<std::string> found;
    diff(*directory_changes(upper_fd.get()), directory_changes(lower_fd.get()).get(),
         [&](const Change& change) {
           found.push_back((change.kind == Change::Kind::removed ? "-" : "+") + change.path);
         });
    return found;
  }

  fs::path upper() const { return directory_.path() / "upper"; }
  fs::path lower() const { return directory_.path() / "lower"; }
  fs::path machine() const { return directory_.path() / "machine"; }

  void SetUp() override {
    for (const auto& path : {upper(), lower(), machine()})
      fs::create_directory(path);
  }

  sys::TempDir directory_{fs::temp_directory_path()};
};

// The file of the machine is the very file that the upper directory has: taken for what lies below, it would
// be left out of the layer.
TEST_F(Diff, FollowsNoSymlinkOutOfTheLowerTree) {
  fs::create_directories(upper() / "d/e");
  sys::write_file(upper() / "d/f", "x");
  sys::write_file(upper() / "d/e/f", "x");
  fs::create_directory(machine() / "e");
  fs::create_hard_link(upper() / "d/f", machine() / "f");
  fs::create_hard_link(upper() / "d/e/f", machine() / "e/f");
  fs::create_symlink(machine(), lower() / "d");
  EXPECT_EQ(changes(), (std::vector<std::string>{"+d", "+d/e", "+d/e/f", "+d/f"}));
}

TEST_F(Diff, FindsNothingBehindASymlinkOfTheLowerTree) {
  fs::create_symlink(machine(), lower() / "d");
  sys::write_file(machine() / "f", "x");
  const sys::UniqueFd fd(::open(lower().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto tree = directory_changes(fd.get());
  EXPECT_FALSE(tree->status("d/f"));
  EXPECT_THROW(tree->open("d/f"), util::Error);
  EXPECT_THROW(tree->list("d"), util::Error);
  EXPECT_THROW(tree->capability("d/f"), util::Error);
  EXPECT_TRUE(tree->status("d"));
}

TEST_F(Diff, ComparesWithTheFilesOfTheSameDirectories) {
  for (const char* path : {"a/b/same", "a/c/same", "a/new", "z"}) {
    fs::create_directories((upper() / path).parent_path());
    sys::write_file(upper() / path, "x");
  }
  for (const char* path : {"a/b/same", "a/c/same"}) {
    fs::create_directories((lower() / path).parent_path());
    fs::create_hard_link(upper() / path, lower() / path);
  }
  EXPECT_EQ(changes(), (std::vector<std::string>{"+a/new", "+z"}));
}

// What was a file when it was looked at may be the machine's disk by now, or a FIFO that nobody writes to.
TEST_F(Diff, OpensNothingToFindOutThatItIsNoFileAnyMore) {
  ASSERT_EQ(::mkfifo((upper() / "fifo").c_str(), 0600), 0);
  fs::create_symlink("fifo", upper() / "link");
  const sys::UniqueFd writer(
      ::open((upper() / "fifo").c_str(), O_RDWR | O_CLOEXEC));  // else a fault would wait
  const sys::UniqueFd watcher(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watcher.get(), (upper() / "fifo").c_str(), IN_OPEN), 0);
  const sys::UniqueFd fd(::open(upper().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto tree = directory_changes(fd.get());
  for (const char* name : {"fifo", "link"})
    EXPECT_EQ(test::error_of([&] { tree->open(name); }),
              "'" + std::string(name) + "' changed while it was packed");
  char event[256];
  EXPECT_LT(::read(watcher.get(), event, sizeof event), 0) << "it was opened";
}

TEST_F(Diff, RefusesNamesThatNoLayerCanHave) {
  const std::string component(250, 'x');
  sys::UniqueFd at(::open(upper().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 17; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), component.c_str(), 0755), 0);
    at = sys::UniqueFd(::openat(at.get(), component.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  try {
    changes();
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_NE(std::string(error.what()).find("has 4266 bytes, more than Linux can use"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace layer
