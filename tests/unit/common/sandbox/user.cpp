// Who a step runs as.
#include "common/sandbox/user.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"

namespace sandbox {
namespace {

using Groups = std::vector<std::uint32_t>;

class UserOfAStep : public testing::Test {
protected:
  void SetUp() override {
    std::filesystem::create_directory(directory_.path() / "etc");
    sys::write_file(
        directory_.path() / "etc/passwd",
        "# a comment\nroot:x:0:0:root:/root:/bin/sh\n\napp:x:1000:2000::/home/app:/bin/sh\nshort:x:7\n");
    sys::write_file(directory_.path() / "etc/group",
                    "root:x:0:\nwheel:x:10:app,root\nstaff:x:50:other,app\napps:x:2000:app\n");
  }

  User resolve(const std::string& spec) {
    auto root = sys::RootedDir::open(directory_.path());
    return resolve_user(root, spec);
  }

  sys::TempDir directory_{std::filesystem::temp_directory_path()};
};

TEST_F(UserOfAStep, IsRootWithRootsGroupsWhenNothingIsSaid) {
  const auto user = resolve("");
  EXPECT_EQ(user.uid, 0U);
  EXPECT_EQ(user.gid, 0U);
  EXPECT_EQ(user.groups, (Groups{0, 10}));
  EXPECT_EQ(user.home, "/root");
}

TEST_F(UserOfAStep, GetsGroupsAndHomeByNameAndByNumberAlike) {
  for (const auto* spec : {"app", "1000"}) {
    const auto user = resolve(spec);
    EXPECT_EQ(user.uid, 1000U) << spec;
    EXPECT_EQ(user.gid, 2000U) << spec;
    EXPECT_EQ(user.groups, (Groups{10, 50, 2000})) << spec;
    EXPECT_EQ(user.home, "/home/app") << spec;
  }
}

TEST_F(UserOfAStep, HasNoOtherGroupThanTheOneThatIsSaid) {
  const auto user = resolve("app:wheel");
  EXPECT_EQ(user.gid, 10U);
  EXPECT_EQ(user.groups, Groups{10});
}

TEST_F(UserOfAStep, IsTakenAsItIsByTwoNumbers) {
  const auto user = resolve("1000:77");
  EXPECT_EQ(user.uid, 1000U);
  EXPECT_EQ(user.groups, Groups{77});
}

TEST_F(UserOfAStep, MayBeANumberThatNoFileKnows) {
  const auto user = resolve("4321");
  EXPECT_EQ(user.uid, 4321U);
  EXPECT_EQ(user.gid, 0U);
  EXPECT_EQ(user.groups, Groups{0});
  EXPECT_EQ(user.home, "/");
}

TEST_F(UserOfAStep, MustBeThereByName) {
  EXPECT_EQ(test::error_of([&] { resolve("nosuch"); }),
            "unable to find user nosuch: no matching entries in passwd file");
  EXPECT_EQ(test::error_of([&] { resolve("app:nosuch"); }),
            "unable to find group nosuch: no matching entries in group file");
}

TEST_F(UserOfAStep, NeedsNoFilesForNumbers) {
  std::filesystem::remove_all(directory_.path() / "etc");
  EXPECT_EQ(resolve("").home, "/root");
  EXPECT_EQ(resolve("5:6").gid, 6U);
}

}  // namespace
}  // namespace sandbox
