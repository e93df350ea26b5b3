#include "common/solver/copier.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "common/util/error.hpp"
#include "tests/support/deep_tree.hpp"
#include "tests/support/error_of.hpp"
#include "tests/unit/common/solver/trees.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class Copying : public test::Trees {
protected:
  void copy(const std::string& path, const std::string& destination) {
    auto rooted = sys::RootedDir::open(root(), sys::RootedDir::Times::natural);
    const auto target = directory_target(rooted);
    Copier(root_source(source()), *target, options_)
        .copy(path, path.substr(path.rfind('/') + 1), destination);
  }

  std::string failure(const std::string& path, const std::string& destination) {
    return test::error_of([&] { copy(path, destination); });
  }

  CopyOptions options_;
};

TEST_F(Copying, EndsWhenCancelled) {
  write(source() / "d/f", "content");
  sys::Canceller stop;
  options_.cancel = stop.cancellation();
  stop.cancel();
  EXPECT_EQ(failure("d", "/new"), "cancelled");
  EXPECT_EQ(names(), Names{"new"});
}

TEST_F(Copying, GoesNoDeeperThanAPathCanSay) {
  fs::create_directory(source() / "deep");
  test::make_too_deep(source() / "deep");
  EXPECT_NE(failure("deep", "/new").find("more than Linux can use"), std::string::npos);
  std::string longest;
  for (int i = 0; i < 30'000; ++i)
    longest += "/d";
  EXPECT_NE(failure("f", longest).find("more than Linux can use"), std::string::npos);
  EXPECT_NE(test::error_of([&] { follow(*root_source(source()), longest); }).find("more than Linux can use"),
            std::string::npos);
}

TEST_F(Copying, PutsAFileIntoAnExistingDirectoryAndElseGivesItTheName) {
  write(source() / "f", "content");
  fs::create_directory(root() / "there");
  copy("f", "/there");
  copy("f", "/new");
  copy("f", "/made/");
  EXPECT_EQ(names(), (Names{"made", "made/f", "new", "there", "there/f"}));
}

TEST_F(Copying, CopiesWhatIsInADirectoryNotTheDirectory) {
  write(source() / "d/sub/f", "content");
  copy("d", "/target");
  EXPECT_EQ(names(), (Names{"target", "target/sub", "target/sub/f"}));
}

TEST_F(Copying, GivesANewTopDirectoryDefaultsButTheTimeOfItsSource) {
  write(source() / "d/f", "x");
  fs::permissions(source() / "d", fs::perms{0700});
  ASSERT_EQ(::chown((source() / "d").c_str(), 5, 6), 0);
  const timespec times[2] = {{1000, 5}, {1000, 5}};
  ::utimensat(AT_FDCWD, (source() / "d").c_str(), times, 0);
  copy("d", "/new");
  EXPECT_EQ(facts(root() / "new"), "d 755 0:0");
  EXPECT_EQ(status(root() / "new").st_mtim.tv_sec, 1000);
}

TEST_F(Copying, KeepsTheOwnerOfExistingDirectoriesAndOverwritesTheModeOfInnerOnes) {
  write(source() / "d/sub/f", "x");
  fs::permissions(source() / "d/sub", fs::perms{0711});
  fs::create_directories(root() / "t/sub");
  fs::permissions(root() / "t", fs::perms{0750});
  fs::permissions(root() / "t/sub", fs::perms{0700});
  for (const auto* path : {"t", "t/sub"})
    ASSERT_EQ(::chown((root() / path).c_str(), 7, 8), 0);
  copy("d", "/t");
  EXPECT_EQ(facts(root() / "t"), "d 750 7:8");
  EXPECT_EQ(status(root() / "t/sub").st_mode & 07777, 0711U);
}

TEST_F(Copying, RefusesToPutAFileOverADirectoryAndADirectoryOverAFile) {
  write(source() / "d/name", "x");
  fs::create_directories(root() / "t/name");
  EXPECT_EQ(failure("d", "/t"), "cannot replace to directory /t/name with file");
  write(source() / "e/name/f", "x");
  write(root() / "u/name", "file");
  EXPECT_EQ(failure("e", "/u"), "cannot copy to non-directory: /u/name");
}

TEST_F(Copying, MakesAnExistingFileAnewSoThatItsOtherNamesStay) {
  write(source() / "f", "new");
  write(root() / "f", "old");
  fs::create_hard_link(root() / "f", root() / "other");
  copy("f", "/f");
  EXPECT_EQ(sys::read_file(root() / "f"), "new");
  EXPECT_EQ(sys::read_file(root() / "other"), "old");
}

TEST_F(Copying, FollowsSymlinksOfTheDestinationInsideTheRootAlone) {
  write(source() / "f", "x");
  fs::create_directory(root() / "real");
  fs::create_directory_symlink("/real", root() / "absolute");
  fs::create_directory_symlink("../../../..", root() / "up");
  fs::create_symlink("../../made/by/link", root() / "dangling");
  copy("f", "/absolute/a");
  copy("f", "/up/b");
  copy("f", "/up/secret");
  copy("f", "/dangling");
  EXPECT_EQ(names(), (Names{"absolute", "b", "dangling", "made", "made/by", "made/by/link", "real", "real/a",
                            "secret", "up"}));
}

TEST_F(Copying, EndsAtALoopOfSymlinks) {
  write(source() / "f", "x");
  fs::create_symlink("loop", root() / "loop");
  EXPECT_NE(failure("f", "/loop/f"), "no error");
  EXPECT_NE(failure("f", "/loop"), "no error");
}

TEST_F(Copying, NeverWritesThroughASymlinkThatLiesInTheWay) {
  write(source() / "d/link/f", "x");
  write(source() / "e/link", "x");
  fs::create_directory(root() / "elsewhere");
  fs::create_directory_symlink("elsewhere", root() / "link");
  EXPECT_EQ(failure("d", "/"), "cannot copy to non-directory: /link");
  copy("e", "/");
  EXPECT_EQ(facts(root() / "link"), "f 644 0:0");
  EXPECT_TRUE(fs::is_empty(root() / "elsewhere"));
}

TEST_F(Copying, KeepsSymlinksOfASourceWithTheirText) {
  fs::create_directory(source() / "d");
  fs::create_symlink("../../../secret", source() / "d/up");
  fs::create_symlink("/etc/passwd", source() / "d/absolute");
  ::lchown((source() / "d/up").c_str(), 3, 4);
  copy("d", "/t");
  EXPECT_EQ(fs::read_symlink(root() / "t/up"), "../../../secret");
  EXPECT_EQ(fs::read_symlink(root() / "t/absolute"), "/etc/passwd");
  EXPECT_EQ(facts(root() / "t/up"), "l 777 3:4");
}

TEST_F(Copying, KeepsModeOwnerTimeAndAttributesOfFiles) {
  write(source() / "d/f", "x", 0644);
  const auto path = source() / "d/f";
  ASSERT_EQ(::chown(path.c_str(), 10, 20), 0);
  ASSERT_EQ(::chmod(path.c_str(), 06751), 0);
  const bool has_xattrs = ::setxattr(path.c_str(), "user.note", "hi", 2, 0) == 0;
  const timespec times[2] = {{77, 5}, {77, 5}};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  copy("d", "/t");
  EXPECT_EQ(facts(root() / "t/f"), "f 6751 10:20");
  EXPECT_EQ(status(root() / "t/f").st_mtim.tv_nsec, 5);
  char value[8];
  if (has_xattrs) {
    EXPECT_EQ(::getxattr((root() / "t/f").c_str(), "user.note", value, sizeof value), 2);
  }
}

TEST_F(Copying, KeepsHardLinksWithinOneDirectory) {
  write(source() / "d/a", "x");
  fs::create_hard_link(source() / "d/a", source() / "d/b");
  copy("d", "/t");
  EXPECT_TRUE(fs::equivalent(root() / "t/a", root() / "t/b"));
  EXPECT_FALSE(fs::equivalent(root() / "t/a", source() / "d/a"));
}

TEST_F(Copying, MakesNodesAnewAndAnEmptyFileOfASocket) {
  fs::create_directory(source() / "d");
  ASSERT_EQ(::mkfifo((source() / "d/fifo").c_str(), 0600), 0);
  const sys::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  (source() / "d/socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  copy("d", "/t");
  EXPECT_TRUE(fs::is_fifo(root() / "t/fifo"));
  EXPECT_TRUE(fs::is_regular_file(root() / "t/socket"));
}

TEST_F(Copying, GivesTheOwnerAndAnOctalModeToParentsTooButNoSymbolicOne) {
  write(source() / "f", "x", 0640);
  options_.owner = sandbox::Owner{1, 2};
  options_.chmod = dockerfile::Chmod::parse("4711");
  copy("f", "/octal/p/f");
  EXPECT_EQ(facts(root() / "octal/p"), "d 711 1:2");
  EXPECT_EQ(facts(root() / "octal/p/f"), "f 4711 1:2");
  options_.chmod = dockerfile::Chmod::parse("a+X,o+r,u+s");
  copy("f", "/symbolic/p/f");
  EXPECT_EQ(facts(root() / "symbolic/p"), "d 755 1:2");
  EXPECT_EQ(facts(root() / "symbolic/p/f"), "f 4644 1:2");
}

TEST_F(Copying, LeavesOutWhatIsExcludedUnlessAnExceptionTakesItBack) {
  for (const auto* name : {"a.log", "keep.log", "sub/b.log", "sub/c", "gone/x"})
    write(source() / "d" / name, "x");
  options_.excludes = context::Ignore::from_patterns({"**/*.log", "gone", "!keep.log"});
  copy("d", "/t");
  EXPECT_EQ(names(), (Names{"t", "t/keep.log", "t/sub", "t/sub/c"}));
}

TEST_F(Copying, KeepsTheDirectoriesOnTheWayToWhatAPatternIncludes) {
  for (const auto* name : {"a/x/one.c", "a/x/one.h", "a/y/none", "b/two.c"})
    write(source() / name, "x");
  fs::permissions(source() / "a/x", fs::perms{0711});
  ASSERT_EQ(::chown((source() / "a/x").c_str(), 9, 9), 0);
  options_.include = "**/*.c";
  copy("", "/t/");
  EXPECT_EQ(names(), (Names{"t", "t/a", "t/a/x", "t/a/x/one.c", "t/b", "t/b/two.c"}));
  EXPECT_EQ(facts(root() / "t/a/x"), "d 711 9:9");
}

TEST_F(Copying, SaysWhatIsNotThere) {
  EXPECT_EQ(failure("nosuch", "/t"), "'/nosuch' not found");
}

TEST_F(Copying, TakesTheRootItselfAsSourceAndDestination) {
  write(source() / "a/f", "x");
  fs::permissions(root(), fs::perms{0700});
  copy("", "/");
  EXPECT_EQ(names(), (Names{"a", "a/f"}));
  EXPECT_EQ(facts(root()), "d 700 0:0");
}

}  // namespace
}  // namespace solver
