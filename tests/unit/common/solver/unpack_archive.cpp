#include "common/solver/unpack_archive.hpp"

#include <sys/xattr.h>

#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/tar_archive.hpp"
#include "tests/unit/common/solver/trees.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using test::Member;

class Unpacking : public test::Trees {
protected:
  bool unpack(const std::string& bytes, const std::string& destination = "/",
              const std::optional<sandbox::Owner>& owner = {}) {
    write(source() / "archive", bytes);
    const auto tree = root_source(source());
    auto rooted = sys::RootedDir::open(root(), sys::RootedDir::Times::natural);
    return unpack_archive(*tree, "archive", rooted, destination, owner);
  }

  std::string failure(const std::vector<Member>& members) {
    return test::error_of([&] { unpack(test::archive(members)); });
  }
};

TEST_F(Unpacking, EndsWhenCancelled) {
  write(source() / "archive", test::archive({{.path = "f", .content = "x"}}));
  auto rooted = sys::RootedDir::open(root());
  sys::Canceller stop;
  stop.cancel();
  EXPECT_EQ(test::error_of([&] {
              unpack_archive(*root_source(source()), "archive", rooted, "/", {}, stop.cancellation());
            }),
            "cancelled");
  EXPECT_EQ(names(), Names{});
}

// The limit that layers of images have.
TEST_F(Unpacking, RefusesNamesThatLinuxCannotUse) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += "d/";
  EXPECT_NE(failure({{.path = deep, .kind = '5'}}).find("has 199999 bytes, more than Linux can use (4095)"),
            std::string::npos);
  EXPECT_EQ(names(), Names{});
  const std::string half = deep.substr(0, 3000);
  EXPECT_NE(failure({{.path = half, .kind = '5'},
                     {.path = "l", .kind = '2', .link_target = half},
                     {.path = "l/" + half, .kind = '5'}})
                .find("more than Linux can use"),
            std::string::npos);
}

TEST_F(Unpacking, GivesMembersTheirFactsAndMissingParentsDefaults) {
  EXPECT_TRUE(unpack(
      test::archive({{.path = "deep/er/f", .content = "x", .mode = 04755, .uid = 5, .gid = 6, .mtime = 1000},
                     {.path = "d", .kind = '5', .mode = 0700, .mtime = 2000},
                     {.path = "d/in", .content = "y"},
                     {.path = "l", .kind = '2', .link_target = "deep/er/f"},
                     {.path = "h",
                      .kind = '1',
                      .link_target = "deep/er/f",
                      .mode = 04755,
                      .uid = 5,
                      .gid = 6,
                      .mtime = 1000}}),
      "/to/here"));
  EXPECT_EQ(names(), (Names{"to", "to/here", "to/here/d", "to/here/d/in", "to/here/deep", "to/here/deep/er",
                            "to/here/deep/er/f", "to/here/h", "to/here/l"}));
  EXPECT_EQ(facts(root() / "to/here"), "d 755 0:0");
  EXPECT_EQ(facts(root() / "to/here/deep"), "d 755 0:0");
  EXPECT_EQ(facts(root() / "to/here/h"), "f 4755 5:6");
  EXPECT_EQ(status(root() / "to/here/d").st_mtim.tv_sec, 2000);
}

TEST_F(Unpacking, GivesAllToTheOwnerThatIsAskedFor) {
  unpack(test::archive({{.path = "f", .content = "x", .uid = 5, .gid = 6}}), "/", sandbox::Owner{1, 2});
  EXPECT_EQ(facts(root() / "f"), "f 644 1:2");
}

TEST_F(Unpacking, LeavesWhatIsNoArchiveAlone) {
  EXPECT_FALSE(unpack("just text"));
  EXPECT_FALSE(unpack(std::string(600, 'x')));
  EXPECT_FALSE(unpack(""));
  EXPECT_FALSE(unpack("\x1f\x8b broken gzip"));
  EXPECT_EQ(names(), Names{});
}

TEST_F(Unpacking, NeverLeadsOutOfTheDestination) {
  for (const std::string path : {"../secret", "/../../secret", "a/../../../secret", "../root/../secret"}) {
    unpack(test::archive({{.path = path, .content = "stolen"}}), "/in");
    EXPECT_EQ(sys::read_file(root() / "in/secret"), "stolen") << path;
    fs::remove_all(root() / "in");
    EXPECT_EQ(names(), Names{});
  }
}

TEST_F(Unpacking, TakesSymlinksOfTheArchiveAndOfTheRootAsInsideTheDestination) {
  fs::create_directories(root() / "in");
  fs::create_directory_symlink("../../..", root() / "in/old");
  unpack(test::archive({{.path = "up", .kind = '2', .link_target = "../../../.."},
                        {.path = "up/a", .content = "x"},
                        {.path = "abs", .kind = '2', .link_target = "/"},
                        {.path = "abs/b", .content = "x"},
                        {.path = "old/c", .content = "x"}}),
         "/in");
  EXPECT_EQ(names(), (Names{"in", "in/a", "in/abs", "in/b", "in/c", "in/old", "in/up"}));
}

TEST_F(Unpacking, ReplacesASymlinkInsteadOfWritingThroughIt) {
  fs::create_symlink("../secret", root() / "f");
  unpack(test::archive({{.path = "g", .kind = '2', .link_target = "../../secret"},
                        {.path = "g", .content = "new"},
                        {.path = "f", .content = "new"}}));
  EXPECT_EQ(facts(root() / "f"), "f 644 0:0");
  EXPECT_EQ(facts(root() / "g"), "f 644 0:0");
  EXPECT_EQ(names(), (Names{"f", "g"}));
}

TEST_F(Unpacking, LinksToNothingOutsideTheDestination) {
  write(root() / "beside", "x");
  fs::create_directory(root() / "in");
  for (const std::string target : {"../secret", "/../secret", "../../secret", "../beside", "/beside"}) {
    EXPECT_NE(test::error_of([&] {
                unpack(test::archive({{.path = "h", .kind = '1', .link_target = target}}), "/in");
              }).find("which is not there"),
              std::string::npos)
        << target;
  }
  EXPECT_EQ(failure({{.path = "s", .kind = '2', .link_target = "../../secret"},
                     {.path = "h", .kind = '1', .link_target = "s"}}),
            "no error");
  EXPECT_EQ(facts(root() / "h").front(), 'l');
  EXPECT_EQ(names(), (Names{"beside", "h", "in", "s"}));
}

TEST_F(Unpacking, RefusesHardLinksToDirectoriesAndToThemselves) {
  EXPECT_NE(failure({{.path = "d", .kind = '5'}, {.path = "h", .kind = '1', .link_target = "d"}}),
            "no error");
  EXPECT_NE(failure({{.path = "h", .kind = '1', .link_target = "h"}}), "no error");
}

TEST_F(Unpacking, LetsNonDirectoriesGiveWay) {
  write(root() / "f/below", "x");
  write(root() / "d", "x");
  unpack(test::archive(
      {{.path = "f", .content = "new"}, {.path = "d", .kind = '5'}, {.path = "d/in", .content = "x"}}));
  EXPECT_EQ(names(), (Names{"d", "d/in", "f"}));
}

TEST_F(Unpacking, KeepsTheMetadataOfAnExistingRoot) {
  fs::permissions(root(), fs::perms{0711});
  unpack(
      test::archive({{.path = "./", .kind = '5', .mode = 0777, .uid = 5}, {.path = "./f", .content = "x"}}));
  EXPECT_EQ(facts(root()), "d 711 0:0");
}

// Overlayfs and the kernel read them: an archive must not hide files of other layers by them.
TEST_F(Unpacking, SetsNoTrustedAttributes) {
  const std::string path = root() / "f";
  unpack(test::archive(
      {{.path = "f",
        .content = "x",
        .pax = {{"SCHILY.xattr.trusted.overlay.opaque", "y"}, {"SCHILY.xattr.user.kept", "y"}}}}));
  char value[8];
  EXPECT_LT(::lgetxattr(path.c_str(), "trusted.overlay.opaque", value, sizeof value), 0);
}

TEST_F(Unpacking, RefusesIdsAndDevicesThatLinuxCannotHave) {
  EXPECT_NE(failure({{.path = "f", .content = "x", .uid = 0xffffffff}}), "no error");
  EXPECT_NE(failure({{.path = "f", .content = "x", .uid = 0x100000000}}), "no error");
  EXPECT_EQ(failure({{.path = "x", .kind = '3', .device_major = 4096, .device_minor = 1}}),
            "the device '/x' has the number 4096:1, which Linux cannot have");
}

// What layers of images do otherwise (layer::MemberPolicy).
TEST_F(Unpacking, LeavesDirectoriesTheAttributesTheyHave) {
  fs::create_directory(root() / "d");
  ASSERT_EQ(::lsetxattr((root() / "d").c_str(), "user.old", "x", 1, 0), 0);
  unpack(test::archive(
      {{.path = "d", .kind = '5', .mode = 0700, .mtime = 2000, .pax = {{"SCHILY.xattr.user.new", "y"}}},
       {.path = "d/later", .content = "x"}}));
  char value[8];
  EXPECT_EQ(::lgetxattr((root() / "d").c_str(), "user.old", value, sizeof value), 1);
  EXPECT_EQ(::lgetxattr((root() / "d").c_str(), "user.new", value, sizeof value), 1);
  EXPECT_EQ(facts(root() / "d"), "d 700 0:0");
  EXPECT_EQ(status(root() / "d").st_mtim.tv_sec, 2000);
}

TEST_F(Unpacking, TakesAwayWhatHasTheNameOfALinkBeforeItsTargetIsLookedFor) {
  write(root() / "d/f", "x");
  EXPECT_NE(failure({{.path = "d", .kind = '1', .link_target = "d/f"}}).find("which is not there"),
            std::string::npos);
}

TEST_F(Unpacking, FailsForADamagedOrCutOffArchive) {
  const auto whole =
      test::archive({{.path = "a", .content = "x"}, {.path = "b", .content = std::string(4096, 'y')}});
  EXPECT_THROW(unpack(whole.substr(0, 512 * 4)), util::Error);
  auto damaged = whole;
  damaged[1024 + 3] = 'Z';
  EXPECT_THROW(unpack(damaged), util::Error);
}

TEST_F(Unpacking, TakesAsMuchDiskForAHoleAsForNothing) {
  // A sparse file of 1 TiB in an archive of 2 KiB.
  const Member sparse{.path = "GNUSparseFile.0/f",
                      .content = test::padded("0\n"),
                      .pax = {{"GNU.sparse.major", "1"},
                              {"GNU.sparse.minor", "0"},
                              {"GNU.sparse.name", "f"},
                              {"GNU.sparse.realsize", std::to_string(std::uint64_t{1} << 40)}}};
  unpack(test::archive({sparse}));
  EXPECT_EQ(status(root() / "f").st_size, std::int64_t{1} << 40);
  EXPECT_LT(status(root() / "f").st_blocks, 64);
}

}  // namespace
}  // namespace solver
