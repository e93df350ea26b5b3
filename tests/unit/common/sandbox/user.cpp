// Who a step runs as.
#include "common/sandbox/user.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>

#include "common/sandbox/sandbox.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/sanitizers.hpp"

namespace sandbox {
namespace {

using Groups = std::vector<std::uint32_t>;

class UserOfAStep : public testing::Test {
protected:
  void SetUp() override {
    std::filesystem::create_directory(directory_.path() / "etc");
    sys::write_file(
        directory_.path() / "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\n\napp:x:1000:2000::/home/app:/bin/sh\nshort:x:7\n"
        "1001:x:55:56::/home/number:/bin/sh\nminus:x:-1:5::/:/bin/sh\nhuge:x:99999999999999999999:5::/:/bin/"
        "sh\n"
        "minusgroup:x:5:-1::/:/bin/sh\nsigned:x:+78:79::/:/bin/sh\n# a comment\n");
    sys::write_file(directory_.path() / "etc/group",
                    "# a "
                    "comment\nroot:x:0:\nwheel:x:10:app,root\nstaff:x:50:other,app\napps:x:2000:app\n1002:x:"
                    "60:\nminus:x:-1:\n");
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

// Sanitizers map terabytes, and keep what is freed.
constexpr bool is_sanitized = test::has_address_sanitizer || test::has_thread_sanitizer;

TEST_F(UserOfAStep, TakesLittleMemoryWhateverTheFilesHold) {
  std::string lines;
  while (lines.size() < 1 << 20)
    lines += "a\n";
  sys::write_file(directory_.path() / "etc/passwd", lines + "last:x:7:8\n");
  sys::write_file(directory_.path() / "etc/group", lines + "many:x:9:last\n");
  const auto resolved = test::in_child([&] {
    rlimit limit{};
    ::getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = 120 << 20;
    if (!is_sanitized) ::setrlimit(RLIMIT_DATA, &limit);
    const auto user = resolve("last");
    return user.uid == 7 && user.groups == Groups{8, 9} ? 0 : 1;
  });
  EXPECT_EQ(resolved, 0);
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

TEST_F(UserOfAStep, IsAnIdWhereItIsANumberWhateverFilesCallSo) {
  EXPECT_EQ(resolve("1001").uid, 1001U);
  EXPECT_EQ(resolve("1001").gid, 0U);
  EXPECT_EQ(resolve("1001").home, "/");
  EXPECT_EQ(resolve("app:1002").groups, Groups{1002});
  EXPECT_EQ(resolve("app:+1002").gid, 1002U);
}

// The id -1 would leave the step what the engine is.
TEST_F(UserOfAStep, NeverHasAnIdThatIsNone) {
  for (const auto* spec : {"minus", "huge", "minusgroup", "app:minus", "4294967295:0", "0:4294967295"})
    EXPECT_THROW(resolve(spec), StartError) << spec;
  for (const auto* spec :
       {"-1", "2147483648", "4294967296", "99999999999999999999", "app:-1", "app:2147483648"}) {
    EXPECT_EQ(test::error_of([&] { resolve(spec); }), "uids and gids must be in range 0-2147483647") << spec;
  }
  EXPECT_EQ(resolve("2147483648:4294967294").uid, 2147483648U);
  EXPECT_EQ(resolve("signed").uid, 78U);
}

TEST_F(UserOfAStep, IsNamedBeforeTheSecondColon) {
  EXPECT_EQ(resolve("app:staff:more").gid, 50U);
  EXPECT_EQ(test::error_of([&] { resolve("a:b:c"); }),
            "unable to find user a: no matching entries in passwd file");
}

TEST_F(UserOfAStep, IsNotLookedUpInAFileThatIsNone) {
  std::filesystem::remove(directory_.path() / "etc/passwd");
  std::filesystem::create_directory(directory_.path() / "etc/passwd");
  EXPECT_THROW(resolve("5:6"), StartError);
}

TEST_F(UserOfAStep, OwnsFilesByAnIdWhereItIsANumber) {
  auto root = sys::RootedDir::open(directory_.path());
  const auto owner = [&](const std::string& spec) {
    const auto found = resolve_owner(root, spec);
    return std::to_string(found.uid) + ":" + std::to_string(found.gid);
  };
  EXPECT_EQ(owner("1001"), "1001:1001");
  EXPECT_EQ(owner("app:1002"), "1000:1002");
  EXPECT_EQ(owner("+5"), "5:5");
  EXPECT_EQ(owner("app:"), "1000:2000");
  EXPECT_EQ(owner(":staff"), "0:50");
  EXPECT_EQ(owner("nosuch:nosuch"), "0:0");
  EXPECT_EQ(owner("app:staff:more"), "1000:2000");
}

TEST_F(UserOfAStep, NeedsNoFilesForNumbers) {
  std::filesystem::remove_all(directory_.path() / "etc");
  EXPECT_EQ(resolve("").home, "/");
  EXPECT_EQ(resolve("5:6").gid, 6U);
}

}  // namespace
}  // namespace sandbox
