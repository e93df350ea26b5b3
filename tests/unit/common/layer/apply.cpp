#include "common/layer/apply.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/tar_archive.hpp"

namespace fs = std::filesystem;
using test::Member;
using Members = std::vector<Member>;

namespace {

class Apply : public testing::Test {
protected:
  void apply_bytes(const std::string& archive) {
    const auto source = stream::from_string(archive);
    applier_.apply(*source, "the tar archive");
  }

  // Each argument is one layer.
  void apply(const std::vector<Members>& layers) {
    for (const auto& members : layers)
      apply_bytes(test::archive(members));
    applier_.finish();
  }

  std::string error_of(const std::vector<Members>& layers) {
    try {
      apply(layers);
    } catch (const util::Error& error) {
      return error.what();
    }
    return "no error";
  }

  struct stat status(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(::lstat((top_ / path).c_str(), &status), 0) << path;
    return status;
  }

  bool exists(const std::string& path) { return fs::exists(fs::symlink_status(top_ / path)); }
  std::string content(const std::string& path) { return sys::read_file(top_ / path); }

  // Every name below `path`, sorted, with blanks between.
  std::string names(const std::string& path = "") {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(top_ / path)) {
      found.push_back(entry.path().lexically_relative(top_ / path).string());
    }
    std::sort(found.begin(), found.end());
    std::string all;
    for (const auto& name : found)
      all += (all.empty() ? "" : " ") + name;
    return all;
  }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path top_ = [this] {
    fs::create_directory(temp_.path() / "root");
    return temp_.path() / "root";
  }();
  sys::RootedDir root_ = sys::RootedDir::open(top_);
  layer::Applier applier_{root_};
};

Member file(const std::string& path, const std::string& content = "x") {
  return {.path = path, .content = content};
}
Member directory(const std::string& path, unsigned mode = 0755, std::int64_t mtime = 0) {
  return {.path = path, .kind = '5', .mode = mode, .mtime = mtime};
}
Member soft_link(const std::string& path, const std::string& target) {
  return {.path = path, .kind = '2', .link_target = target};
}
Member hard_link(const std::string& path, const std::string& target) {
  return {.path = path, .kind = '1', .link_target = target};
}

}  // namespace

TEST_F(Apply, KeepsModesTimesAndContent) {
  apply({{{.path = "f", .content = "hello", .mode = 04751, .mtime = -5, .pax = {{"mtime", "-5.25"}}},
          {.path = "d/", .kind = '5', .mode = 03777, .mtime = 99},
          {.path = "p", .kind = '6', .mode = 0622, .mtime = 7}}});
  EXPECT_EQ(content("f"), "hello");
  EXPECT_EQ(status("f").st_mode & 07777, 04751u);
  EXPECT_EQ(status("f").st_mtim.tv_sec, -6);
  EXPECT_EQ(status("f").st_mtim.tv_nsec, 750'000'000);
  EXPECT_EQ(status("d").st_mode & 07777, 03777u);
  EXPECT_EQ(status("d").st_mtim.tv_sec, 99);
  EXPECT_TRUE(S_ISFIFO(status("p").st_mode));
  EXPECT_EQ(status("p").st_mode & 07777, 0622u);
  EXPECT_EQ(applier_.report().members, 3u);
  EXPECT_EQ(applier_.report().bytes, 5u);
}

TEST_F(Apply, KeepsOwnersAndSetuidWithThem) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  apply({{{.path = "f", .mode = 06755, .uid = 12, .gid = 3000000000},
          {.path = "l", .kind = '2', .link_target = "x", .uid = 13, .gid = 14}}});
  EXPECT_EQ(status("f").st_uid, 12u);
  EXPECT_EQ(status("f").st_gid, 3000000000u);
  EXPECT_EQ(status("f").st_mode & 07777, 06755u);
  EXPECT_EQ(status("l").st_uid, 13u);
}

TEST_F(Apply, RefusesIdsThatLinuxDoesNotHave) {
  EXPECT_EQ(error_of({{{.path = "f", .uid = 4294967295}}}),
            "'/f' has the uid 4294967295, which Linux cannot have");
  EXPECT_EQ(error_of({{{.path = "f", .gid = 1ull << 40}}}),
            "'/f' has the gid 1099511627776, which Linux cannot have");
}

TEST_F(Apply, DirectoriesKeepTheirTimesWhateverHappensInThemLater) {
  apply({{directory("./", 0755, 50), directory("d/", 0755, 60), file("d/a"), file("d/gone"),
          directory("e/", 0700, 70)},
         {file("d/b"), file("d/.wh.gone"), file("new")},
         {file("d/b", "again"), soft_link("e/l", "x"), hard_link("e/h", "d/b")}});
  EXPECT_EQ(names(), "d d/a d/b e e/h e/l new");
  EXPECT_EQ(status("").st_mtim.tv_sec, 50);
  EXPECT_EQ(status("d").st_mtim.tv_sec, 60);
  EXPECT_EQ(status("e").st_mtim.tv_sec, 70);
}

TEST_F(Apply, MakesMissingParents) {
  const mode_t old = ::umask(077);
  apply({{file("a/b/c")}});
  ::umask(old);
  EXPECT_EQ(status("a").st_mode & 07777, 0755u);
  EXPECT_EQ(status("a/b").st_mode & 07777, 0755u);
}

TEST_F(Apply, DirectoryOnDirectoryChangesMetadataOnly) {
  apply({{directory("d/", 0700, 1), file("d/kept")}, {directory("d/", 0711, 2)}});
  EXPECT_EQ(names(), "d d/kept");
  EXPECT_EQ(status("d").st_mode & 07777, 0711u);
  EXPECT_EQ(status("d").st_mtim.tv_sec, 2);
}

TEST_F(Apply, AMemberReplacesWhatHasItsName) {
  apply({{directory("d/"), file("d/sub/x"), file("f"), soft_link("l", "d"), soft_link("to-d", "d")},
         {file("d", "file now"), directory("f/"), file("f/y"), file("l", "no link"), directory("to-d/")}});
  EXPECT_EQ(names(), "d f f/y l to-d");
  EXPECT_EQ(content("d"), "file now");
  EXPECT_EQ(content("l"), "no link");
  EXPECT_TRUE(S_ISDIR(status("to-d").st_mode));
}

TEST_F(Apply, TheLaterOfTwoMembersWithOneNameWins) {
  apply({{file("f", "first"), file("f", "second"), file("./f", "third")}});
  EXPECT_EQ(content("f"), "third");
}

TEST_F(Apply, WhiteoutsHideLowerLayersOnly) {
  apply({{file("a"), file("b"), file("d/x"), file("d/y"), file("kept")},
         {file("b", "new"), file(".wh.a"), file(".wh.b"), file("d/new"), file(".wh.d"), file(".wh.absent"),
          file("nowhere/.wh.x")}});
  EXPECT_EQ(names(), "b d d/new kept");
  EXPECT_EQ(content("b"), "new");
}

TEST_F(Apply, WhiteoutThenMemberLeavesTheMember) {
  apply({{file("d/old")}, {file(".wh.d"), file("d/new")}});
  EXPECT_EQ(names(), "d d/new");
}

TEST_F(Apply, WhiteoutsOfTheLowestLayerHideNothing) {
  apply({{file("d/a"), file("d/.wh.a"), file("d/.wh..wh..opq")}});
  EXPECT_EQ(names(), "d d/a");
}

class ApplyOpaque : public Apply, public testing::WithParamInterface<std::size_t> {};

TEST_P(ApplyOpaque, HidesLowerLayersWhereverItStands) {
  Members upper = {directory("d/"), file("d/new"), file("d/sub/deep/new"), file("d/both", "new")};
  upper.insert(upper.begin() + GetParam(), file("d/.wh..wh..opq"));
  apply({{file("d/old"), file("d/sub/old"), file("d/sub/deep/old"), file("d/both", "old"), file("d/gone/x"),
          file("e/x")},
         upper});
  EXPECT_EQ(names(), "d d/both d/new d/sub d/sub/deep d/sub/deep/new e e/x");
  EXPECT_EQ(content("d/both"), "new");
}

INSTANTIATE_TEST_SUITE_P(Places, ApplyOpaque, testing::Values(0u, 1u, 2u, 3u, 4u));

TEST_F(Apply, OpaqueRootHidesEverythingBelow) {
  apply({{file("a"), file("d/b")}, {file(".wh..wh..opq"), file("new")}});
  EXPECT_EQ(names(), "new");
}

TEST_F(Apply, WhiteoutsBelowASymlinkHideWhereItLeads) {
  apply({{file("d/x"), file("e/x"), file("e/y"), soft_link("to-d", "d"), soft_link("to-e", "/e")},
         {file("to-d/.wh..wh..opq"), file("to-e/.wh.x")}});
  EXPECT_EQ(names(), "d e e/y to-d to-e");
}

TEST_F(Apply, EachLayerStartsAnew) {
  apply({{file("d/a")}, {file("d/b")}, {file("d/.wh.b"), file("d/c")}});
  EXPECT_EQ(names(), "d d/a d/c");
}

TEST_F(Apply, ReservedNamesAreLeftOut) {
  apply({{file("x")}, {directory(".wh..wh.plnk/"), file(".wh..wh.plnk/1.2"), file("d/.wh..wh.x")}});
  EXPECT_EQ(names(), "x");
}

TEST_F(Apply, WhiteoutsThatNameNothingAreErrors) {
  for (const auto name : {".wh.", "d/.wh..", "d/.wh...", "d/.wh.x/y"})
    EXPECT_NE(error_of({{file("d/a")}, {file(name)}}), "no error");
  EXPECT_EQ(names(), "d d/a");
}

TEST_F(Apply, HardLinksAreOneFile) {
  apply({{file("a"), hard_link("b", "a"), hard_link("c", "./b")}, {hard_link("d/e", "/a")}});
  EXPECT_EQ(status("a").st_nlink, 4u);
  EXPECT_EQ(status("a").st_ino, status("d/e").st_ino);
}

TEST_F(Apply, HardLinksChangeNothingButTheName) {
  apply({{{.path = "a", .content = "x", .mode = 0711, .mtime = 5},
          {.path = "b", .kind = '1', .link_target = "a", .mode = 0600, .mtime = 9}}});
  EXPECT_EQ(status("b").st_mode & 07777, 0711u);
  EXPECT_EQ(status("b").st_mtim.tv_sec, 5);
}

TEST_F(Apply, HardLinkOfASymlinkIsThatSymlink) {
  apply({{soft_link("l", "/etc/passwd"), hard_link("h", "l")}});
  EXPECT_TRUE(S_ISLNK(status("h").st_mode));
}

TEST_F(Apply, HardLinkToItselfKeepsTheFile) {
  apply({{file("a")}, {hard_link("a", "./a")}});
  EXPECT_EQ(content("a"), "x");
}

TEST_F(Apply, HardLinkReplacesWhatHasItsName) {
  apply({{file("a", "target"), file("b", "other"), directory("d/"), file("d/x")},
         {hard_link("b", "a"), hard_link("d", "a")}});
  EXPECT_EQ(content("b"), "target");
  EXPECT_EQ(content("d"), "target");
}

TEST_F(Apply, HardLinkToNothingOrADirectoryIsAnError) {
  EXPECT_EQ(error_of({{hard_link("h", "absent")}}),
            "the hard link '/h' points at 'absent', which is not there");
  EXPECT_EQ(error_of({{directory("d/"), hard_link("h", "d")}}),
            "the hard link '/h' points at 'd', which is a directory");
  EXPECT_EQ(error_of({{hard_link("h", "..")}}), "the hard link '/h' points at '..', which is a directory");
}

TEST_F(Apply, SparseFilesStaySparse) {
  const std::string data(4096, 'x');
  apply({{{.path = "GNUSparseFile.1/s",
           .content = test::padded("2\n8388608\n4096\n16777216\n0\n") + data,
           .pax = {{"GNU.sparse.major", "1"},
                   {"GNU.sparse.minor", "0"},
                   {"GNU.sparse.name", "s"},
                   {"GNU.sparse.realsize", "16777216"}}}}});
  EXPECT_EQ(status("s").st_size, 16777216);
  EXPECT_LT(status("s").st_blocks, 1000);
  EXPECT_EQ(content("s").substr(8388608, 4097), data + std::string(1, '\0'));
}

TEST_F(Apply, NothingReachesOutside) {
  sys::write_file(temp_.path() / "secret", "untouched");
  const std::string outside = temp_.path().string();
  apply({{file("../secret", "1"), file(outside + "/secret", "2"), soft_link("up", "../.."),
          file("up/secret", "3"), soft_link("out", outside), file("out/secret", "4"),
          hard_link("stolen", "../../secret")},
         {file("out/.wh.secret"), file("../.wh.secret"), directory("out/", 0)}});
  EXPECT_EQ(sys::read_file(temp_.path() / "secret"), "untouched");
  EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path()), fs::directory_iterator()), 2);
}

TEST_F(Apply, TheRootStaysADirectory) {
  EXPECT_EQ(error_of({{soft_link("./", "/tmp")}}), "the member './' would replace the root directory");
  EXPECT_EQ(error_of({{file("x/..")}}), "the member 'x/..' would replace the root directory");
  EXPECT_EQ(error_of({{hard_link("..", "x")}}), "the member '..' would replace the root directory");
}

TEST_F(Apply, NamesTooLongForLinuxAreErrors) {
  EXPECT_EQ(error_of({{file(std::string(256, 'n'))}}),
            "cannot look at '/" + std::string(256, 'n') + "': File name too long");
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += "d/";
  EXPECT_EQ(error_of({{file(deep + "x")}}),
            "the name 'd/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/...' has 200001 bytes, "
            "more than Linux "
            "can use (4095)");
}

TEST_F(Apply, AParentThatIsAFileIsAnError) {
  EXPECT_EQ(error_of({{file("f"), file("f/x")}}), "cannot enter '/f': Not a directory");
}

TEST_F(Apply, DevicesAreMadeOrCounted) {
  apply({{{.path = "null", .kind = '3', .mode = 0666, .device_major = 1, .device_minor = 3},
          hard_link("zero", "null")}});
  if (applier_.report().devices.count > 0) {
    EXPECT_EQ(applier_.report().devices.count, 2u);
    EXPECT_EQ(names(), "");
  } else {
    EXPECT_EQ(status("null").st_rdev, 0x103u);
    EXPECT_EQ(status("null").st_mode & 07777, 0666u);
  }
}

TEST_F(Apply, DeviceNumbersThatWouldBeCutAreErrors) {
  EXPECT_EQ(error_of({{{.path = "x", .kind = '4', .device_major = 4096, .device_minor = 1}}}),
            "the device '/x' has the number 4096:1, which Linux cannot have");
}

TEST_F(Apply, SetsExtendedAttributesButNoTrustedOnes) {
  apply({{{.path = "f",
           .pax = {{"SCHILY.xattr.user.a", std::string("1\0002", 3)},
                   {"SCHILY.xattr.trusted.overlay.opaque", "y"}}}}});
  EXPECT_GE(applier_.report().xattrs.count, 1u);
  if (applier_.report().xattrs.count > 1) GTEST_SKIP() << "the filesystem has no extended attributes";
  char value[10];
  EXPECT_EQ(::getxattr((top_ / "f").c_str(), "user.a", value, sizeof value), 3);
  EXPECT_LT(::getxattr((top_ / "f").c_str(), "trusted.overlay.opaque", value, sizeof value), 0);
}

TEST_F(Apply, DirectoryOnDirectoryDropsAttributesThatAreGone) {
  Member lower = directory("d/");
  lower.pax = {{"SCHILY.xattr.user.old", "1"}, {"SCHILY.xattr.user.both", "1"}};
  Member upper = directory("d/");
  upper.pax = {{"SCHILY.xattr.user.both", "2"}};
  apply({{lower}, {upper}});
  if (applier_.report().xattrs.count > 0) GTEST_SKIP() << "the filesystem has no extended attributes";
  EXPECT_EQ(root_.list_xattrs(*root_.find("d")), std::vector<std::string>{"user.both"});
}

TEST_F(Apply, DirectoriesThatKeepUsOutTakeTheirModeAtTheEnd) {
  apply({{directory("d/", 0500), directory("d/e/", 0), file("d/e/f")},
         {file("d/e/g"), directory("gone/", 0)},
         {file(".wh.gone"), file("gone", "x")}});
  EXPECT_EQ(status("d").st_mode & 07777, 0500u);
  EXPECT_EQ(status("d/e").st_mode & 07777, 0u);
  EXPECT_EQ(status("gone").st_mode & 07777, 0644u);
}

TEST_F(Apply, TheLimitCountsHeadersFilesHolesAndPadding) {
  const auto error = "the image unpacks to more than 100.0 KiB, the limit that was set";
  const auto limited = [&](const std::string& archive) {
    sys::TempDir temp(fs::temp_directory_path());
    auto root = sys::RootedDir::open(temp.path());
    layer::Applier applier(root, {.max_size = 100 << 10});
    const auto source = stream::from_string(archive);
    try {
      applier.apply(*source, "the tar archive");
      applier.apply(*stream::from_string(test::archive({file("f")})), "the tar archive");
    } catch (const util::Error& caught) {
      return std::string(caught.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(limited(test::archive({file("f", std::string(90 << 10, 'x'))})), "no error");
  EXPECT_EQ(limited(test::archive({file("f", std::string(110 << 10, 'x'))})), error);
  EXPECT_EQ(limited(test::archive(Members(250, file("f", "")))), error);
  EXPECT_EQ(limited(test::archive({file("f")}) + std::string(110 << 10, '\0')), error);
  EXPECT_EQ(limited(test::member({.path = "s",
                                  .content = test::padded("0\n"),
                                  .pax = {{"GNU.sparse.major", "1"},
                                          {"GNU.sparse.minor", "0"},
                                          {"GNU.sparse.name", "s"},
                                          {"GNU.sparse.realsize", "8000000000000"}}})),
            error);
}

TEST_F(Apply, DamagedArchivesAreErrors) {
  const std::string archive = test::archive({file("f", std::string(2000, 'x'))});
  EXPECT_THROW(apply_bytes(archive.substr(0, 1000)), util::Error);
  EXPECT_THROW(apply_bytes("rubbish"), util::Error);
}
