// Facts of files that a process without rights gives to them.
#include "common/sys/file_facts.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "common/layer/change_set.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/trial.hpp"
#include "common/util/error.hpp"

namespace {

using sys::FileFacts;
using sys::RootedDir;
using sys::TempDir;
using sys::why_not;

void check(bool condition, const std::string& what) {
  if (!condition) throw util::Error(what);
}

// What `action` finds wrong in a directory of a user without rights; the facts of this process end with it.
std::optional<std::string> as_nobody(
    const std::function<void(RootedDir& root, const std::string& path)>& action) {
  return why_not([&] {
    const TempDir directory(std::filesystem::temp_directory_path());
    check(::chown(directory.path().c_str(), 65534, 65534) == 0, "no directory for nobody");
    check(::setresgid(65534, 65534, 65534) == 0 && ::setresuid(65534, 65534, 65534) == 0, "still root");
    FileFacts::keep_for_process();
    auto root = RootedDir::open(directory.path());
    action(root, directory.path());
  });
}

// As setcap(8) writes cap_net_bind_service=ep.
const std::string capability("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);

class Facts : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "becoming nobody needs root";
  }
};

TEST_F(Facts, AreShownAsIfTheyWereOnDisk) {
  EXPECT_EQ(as_nobody([](RootedDir& root, const std::string& path) {
              const auto file = *root.find("file");
              root.create_file(file);
              check(root.status(file)->st_uid == 0, "what is made is not root's");
              check(!root.set_owner(file, 12, 34), "an owner is refused");
              root.set_mode(file, 04711);
              check(!root.set_xattr(file, "security.capability", capability), "capabilities are refused");
              const auto status = root.status(file);
              check(status->st_uid == 12 && status->st_gid == 34, "another owner");
              check(status->st_mode == (S_IFREG | 04711), "another mode");
              check(root.xattrs(file).at("security.capability") == capability, "other capabilities");
              const auto changes = layer::directory_changes(path);
              check(changes->status("file")->st_uid == 12, "another owner in the layer");
              check(changes->capability("file") == capability, "other capabilities in the layer");
            }),
            std::nullopt);
}

TEST_F(Facts, StayWithTheFileUnderAnyName) {
  EXPECT_EQ(as_nobody([](RootedDir& root, const std::string& path) {
              const auto file = *root.find("file");
              root.create_file(file);
              root.set_owner(file, 12, 34);
              const auto link = *root.find("link");
              root.make_hard_link(link, file);
              std::filesystem::rename(path + "/file", path + "/moved");
              check(root.status(link)->st_uid == 12, "another owner by the second name");
              check(root.status(*root.find("moved"))->st_uid == 12, "another owner once moved");
            }),
            std::nullopt);
}

TEST_F(Facts, EndWithTheFile) {
  EXPECT_EQ(as_nobody([](RootedDir& root, const std::string&) {
              for (int i = 0; i < 100; ++i) {
                const auto file = *root.find("file");
                root.create_file(file);
                check(root.status(file)->st_uid == 0, "a new file has the owner of one that is gone");
                root.set_owner(file, 12, 34);
                root.remove(file);
              }
            }),
            std::nullopt);
}

TEST_F(Facts, LeaveWhatMayNotBeReadReadable) {
  EXPECT_EQ(as_nobody([](RootedDir& root, const std::string&) {
              const auto closed = *root.find("closed");
              root.make_directory(closed);
              root.set_mode(closed, 0);
              check(root.status(closed)->st_mode == S_IFDIR, "another mode");
              root.create_file(closed.child("file"));
              check(root.list(closed).size() == 1, "it cannot be read");
            }),
            std::nullopt);
}

TEST_F(Facts, LeaveWhatBelongsToOthers) {
  EXPECT_EQ(as_nobody([](RootedDir& root, const std::string&) {
              const auto file = *root.find("file");
              root.create_file(file);
              root.set_owner(file, 65534, 65534);
              check(root.status(file)->st_uid == 65534, "our own number is taken for root's");
            }),
            std::nullopt);
}

}  // namespace
