#include "common/sys/rooted_dir.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace fs = std::filesystem;

namespace {

class RootedDir : public testing::Test {
protected:
  RootedDir() {
    fs::create_directory(outside_);
    sys::write_file(outside_ / "secret", "untouched");
  }

  // Where `path` is found, "(nothing)" if a parent is missing.
  std::string found(const std::string& path) {
    const auto place = root_.find(path);
    return place ? place->str() : "(nothing)";
  }

  sys::RootedPath at(const std::string& path) { return root_.find_or_make_parents(path); }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path outside_ = temp_.path() / "outside";
  fs::path top_ = [this] {
    fs::create_directory(temp_.path() / "root");
    return temp_.path() / "root";
  }();
  sys::RootedDir root_ = sys::RootedDir::open(top_);
};

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const util::Error& error) {
    return error.what();
  }
  return "no error";
}

timespec mtime_of(const fs::path& path) {
  struct stat status;
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mtim;
}

}  // namespace

TEST(CleanPath, WorksOnTextAlone) {
  EXPECT_EQ(sys::clean_path(""), "");
  EXPECT_EQ(sys::clean_path("./"), "");
  EXPECT_EQ(sys::clean_path("/a//b/./c/"), "a/b/c");
  EXPECT_EQ(sys::clean_path("a/b/../../../../c"), "c");
  EXPECT_EQ(sys::clean_path("../.."), "");
  EXPECT_EQ(sys::clean_path("..a/.b"), "..a/.b");
}

TEST(RootedPath, KnowsItsParts) {
  const sys::RootedPath path = sys::RootedPath().child("a").child("b");
  EXPECT_EQ(path.str(), "a/b");
  EXPECT_EQ(path.name(), "b");
  EXPECT_EQ(path.parent().str(), "a");
  EXPECT_TRUE(path.parent().parent().is_root());
  EXPECT_TRUE(path.is_within(path));
  EXPECT_TRUE(path.is_within(path.parent()));
  EXPECT_TRUE(path.is_within(sys::RootedPath()));
  EXPECT_FALSE(path.is_within(sys::RootedPath().child("a").child("bb")));
  EXPECT_FALSE(sys::RootedPath().child("ab").is_within(sys::RootedPath().child("a")));
  for (const auto name : {"", ".", "..", "a/b"})
    EXPECT_THROW(path.child(name), util::Error) << name;
}

TEST_F(RootedDir, KnowsWhereMissingThingsWouldEndUp) {
  fs::create_directories(top_ / "there");
  fs::create_symlink("../../gone/far", top_ / "there" / "link");
  fs::create_symlink("/there/link", top_ / "absolute");
  fs::create_symlink("circle", top_ / "circle");
  EXPECT_EQ(root_.destination("there/link/file")->str(), "gone/far/file");
  EXPECT_EQ(root_.destination("/absolute")->str(), "gone/far");
  EXPECT_EQ(root_.destination("no/such/../file")->str(), "no/file");
  EXPECT_EQ(root_.destination("circle/file"), std::nullopt);
}

TEST_F(RootedDir, FindsPlacesThroughSymlinksInsideTheRoot) {
  fs::create_directories(top_ / "usr/lib/deep");
  fs::create_symlink("usr/lib", top_ / "lib");
  fs::create_symlink("/usr", top_ / "usr/absolute");
  fs::create_symlink("../../../../../..", top_ / "usr/lib/up");
  fs::create_symlink(outside_, top_ / "out");
  EXPECT_EQ(found("lib/x"), "usr/lib/x");
  EXPECT_EQ(found("usr/absolute/lib/deep/x"), "usr/lib/deep/x");
  EXPECT_EQ(found("lib/up/usr/x"), "usr/x");
  EXPECT_EQ(found("lib/deep/../../x"), "x");
  EXPECT_EQ(found("out/secret"), "(nothing)");
  EXPECT_EQ(found("lib"), "lib");
  EXPECT_EQ(found("../../.."), "");
}

TEST_F(RootedDir, FindsNothingBelowFilesAndMissingDirectories) {
  sys::write_file(top_ / "file", "");
  EXPECT_EQ(found("file/x"), "(nothing)");
  EXPECT_EQ(found("missing/x"), "(nothing)");
  EXPECT_EQ(error_of([&] { at("file/x"); }), "cannot enter '/file': Not a directory");
}

TEST_F(RootedDir, MakesMissingParentsInsideTheRootEvenBehindALink) {
  fs::create_symlink(outside_ / "new", top_ / "out");
  const auto place = at("out/sub/x");
  EXPECT_TRUE(fs::is_directory(top_ / place.parent().str()));
  EXPECT_EQ(place.str(), fs::path(outside_ / "new/sub/x").string().substr(1));
  EXPECT_FALSE(fs::exists(outside_ / "new"));
  EXPECT_EQ(fs::status(top_ / *outside_.relative_path().begin()).permissions(), fs::perms{0755});
}

TEST_F(RootedDir, StopsInALoopOfSymlinks) {
  fs::create_symlink("b", top_ / "a");
  fs::create_symlink("a", top_ / "b");
  EXPECT_EQ(error_of([&] { root_.find("a/x"); }), "cannot find '/a': Too many levels of symbolic links");
}

TEST_F(RootedDir, NoticesThatADirectoryBecameASymlink) {
  root_.make_directory(at("d"));
  EXPECT_EQ(at("d/x").str(), "d/x");
  root_.remove(at("d"));
  root_.make_symlink(at("d"), outside_.string());
  EXPECT_EQ(at("d/x").str(), outside_.string().substr(1) + "/x");
  EXPECT_FALSE(fs::exists(outside_ / "x"));
}

TEST_F(RootedDir, DoesNotFollowASymlinkThatTookTheLastName) {
  fs::create_symlink(outside_ / "secret", top_ / "link");
  const auto link = at("link");
  EXPECT_EQ(error_of([&] { root_.create_file(link); }), "cannot create '/link': File exists");
  EXPECT_TRUE(S_ISLNK(root_.status(link)->st_mode));
  root_.set_mtime(link, {.tv_sec = 5, .tv_nsec = 7});
  EXPECT_EQ(mtime_of(top_ / "link").tv_sec, 5);
  EXPECT_NE(mtime_of(outside_ / "secret").tv_sec, 5);
  root_.make_hard_link(at("second"), link);
  EXPECT_TRUE(fs::is_symlink(top_ / "second"));
  root_.remove(link);
  EXPECT_EQ(sys::read_file(outside_ / "secret"), "untouched");
}

// A device's driver acts when it is opened, whatever comes of it.
TEST_F(RootedDir, OpensNothingToFindOutThatItIsNoFile) {
  ASSERT_EQ(::mkfifo((top_ / "fifo").c_str(), 0600), 0);
  const sys::UniqueFd watcher(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watcher.get(), (top_ / "fifo").c_str(), IN_OPEN), 0);
  EXPECT_FALSE(root_.open_file("fifo"));
  char event[256];
  EXPECT_LT(::read(watcher.get(), event, sizeof event), 0) << "it was opened";
}

TEST_F(RootedDir, RefusesToWalkThroughASymlinkPutThereMeanwhile) {
  const auto place = at("d/x");
  fs::remove(top_ / "d");
  fs::create_symlink(outside_, top_ / "d");
  root_.status(at("other"));  // leaves the directory
  EXPECT_EQ(error_of([&] { root_.create_file(place); }), "cannot enter '/d': Not a directory");
}

TEST_F(RootedDir, OpensPlacesBehindSymlinksInsideTheRoot) {
  fs::create_directories(top_ / "usr/lib/deep");
  sys::write_file(top_ / "usr/lib/file", "");
  fs::create_symlink("usr/lib", top_ / "lib");
  fs::create_symlink("/usr", top_ / "usr/absolute");
  fs::create_symlink("../../../../../..", top_ / "usr/lib/up");
  fs::create_symlink(outside_, top_ / "out");
  fs::create_symlink("circle", top_ / "circle");
  const auto is_at = [&](const char* path, const char* place) {
    const auto fd = root_.open_place(path);
    struct stat found {};
    struct stat wanted {};
    return fd && ::fstat(fd.get(), &found) == 0 && ::stat((top_ / place).c_str(), &wanted) == 0 &&
           found.st_ino == wanted.st_ino && found.st_dev == wanted.st_dev;
  };
  EXPECT_TRUE(is_at("/lib", "usr/lib"));
  EXPECT_TRUE(is_at("lib/file", "usr/lib/file"));
  EXPECT_TRUE(is_at("usr/absolute/lib/./deep/", "usr/lib/deep"));
  EXPECT_TRUE(is_at("lib/up/usr", "usr"));
  EXPECT_TRUE(is_at("lib/up", ""));
  EXPECT_TRUE(is_at("../..", ""));
  for (const char* missing : {"missing", "usr/missing/x", "lib/file/x", "out", "out/secret", "circle"})
    EXPECT_FALSE(root_.open_place(missing)) << missing;
}

TEST_F(RootedDir, OpensAPlaceThatStaysTheOneThatWasFound) {
  fs::create_directories(top_ / "d/inner");
  sys::write_file(top_ / "d/inner/file", "of the tree");
  fs::create_directory(outside_ / "inner");
  const auto place = root_.open_place("d/inner");
  fs::rename(top_ / "d", top_ / "moved");
  fs::create_symlink(outside_, top_ / "d");
  const sys::UniqueFd file(::openat(place.get(), "file", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file);
  EXPECT_EQ(sys::read_to_end(file.get(), "file"), "of the tree");
}

TEST_F(RootedDir, KeepsTheTimesOfDirectoriesItChanges) {
  for (const auto name : {"a", "b"}) {
    root_.make_directory(at(name));
    root_.set_mtime(at(name), {.tv_sec = -100, .tv_nsec = 5});
  }
  root_.set_mtime({}, {.tv_sec = 77, .tv_nsec = 0});
  root_.create_file(at("a/file"));
  root_.make_symlink(at("b/link"), "x");
  root_.create_file(at("file"));
  root_.remove(at("a/file"));
  root_.make_hard_link(at("b/hard"), at("file"));
  root_.settle();
  for (const auto name : {"a", "b"}) {
    EXPECT_EQ(mtime_of(top_ / name).tv_sec, -100) << name;
    EXPECT_EQ(mtime_of(top_ / name).tv_nsec, 5) << name;
  }
  EXPECT_EQ(mtime_of(top_).tv_sec, 77);
}

TEST_F(RootedDir, MovesAWholeTreeOutOfAnotherRoot) {
  auto other = root_.inside([&] {
    root_.make_directory(at("other"));
    return at("other");
  }());
  other.create_file(other.find_or_make_parents("d/sub/file"));
  root_.make_directory(at("to"));
  root_.set_mtime(at("to"), {.tv_sec = 5, .tv_nsec = 0});
  root_.move(at("to/d"), other, *other.find("d"));
  root_.settle();
  EXPECT_TRUE(fs::exists(top_ / "to/d/sub/file"));
  EXPECT_FALSE(other.find("d/sub"));
  EXPECT_EQ(mtime_of(top_ / "to").tv_sec, 5);
  other.make_directory(*other.find("d"));
  EXPECT_EQ(error_of([&] { root_.move(at("to/d/sub/file"), other, *other.find("d")); }),
            "cannot move '/to/d/sub/file': Not a directory");
}

TEST_F(RootedDir, TakesNewTimesForTheDirectoryAtHand) {
  root_.make_directory(at("a"));
  root_.create_file(at("a/file"));
  root_.set_mtime(at("a"), {.tv_sec = 9, .tv_nsec = 0});
  root_.create_file(at("a/second"));
  root_.create_file(at("top"));
  root_.set_mtime({}, {.tv_sec = 8, .tv_nsec = 0});
  root_.settle();
  EXPECT_EQ(mtime_of(top_ / "a").tv_sec, 9);
  EXPECT_EQ(mtime_of(top_).tv_sec, 8);
}

TEST_F(RootedDir, ListsAndRemovesTrees) {
  at("d/sub/file");
  root_.create_file(at("d/file"));
  auto names = root_.list(at("d"));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"file", "sub"}));
  root_.remove(at("d"));
  EXPECT_FALSE(root_.status(at("d")));
  root_.remove(at("d"));
  EXPECT_THROW(root_.remove({}), util::Error);
}

TEST_F(RootedDir, SetsModesWhateverTheUmask) {
  const mode_t old = ::umask(077);
  root_.make_directory(at("d"));
  root_.set_mode(at("d"), 01777);
  EXPECT_FALSE(root_.make_node(at("fifo"), S_IFIFO, 0));
  root_.set_mode(at("fifo"), 0666);
  ::umask(old);
  EXPECT_EQ(root_.status(at("d"))->st_mode & 07777, 01777u);
  EXPECT_EQ(root_.status(at("fifo"))->st_mode & 07777, 0666u);
}

// Fifteen names of the longest kind: almost all that a path may hold.
const std::string long_way = [] {
  std::string way(255, 'd');
  for (int i = 1; i < 15; ++i)
    way += "/" + std::string(255, 'd');
  return way;
}();

TEST_F(RootedDir, MakesAndFindsNothingThatNoPathCanSay) {
  const auto is_too_long = [](const std::string& error) {
    return error.ends_with("more than Linux can use (4095)");
  };
  root_.create_file(at(long_way + "/file"));
  EXPECT_TRUE(root_.status(*root_.find(long_way + "/file")));
  const std::string longer = long_way + "/" + std::string(255, 'x') + "/x";
  EXPECT_PRED1(is_too_long, error_of([&] { at(longer); }));
  EXPECT_PRED1(is_too_long, error_of([&] { at(longer + "/below"); }));
  EXPECT_PRED1(is_too_long, error_of([&] { root_.find(longer); }));
  EXPECT_PRED1(is_too_long, error_of([&] { root_.destination(longer); }));
  EXPECT_EQ(root_.list(*root_.find(long_way)), std::vector<std::string>{"file"});
}

// Each link makes the way as long again.
TEST_F(RootedDir, MakesNoParentsWithoutEndAlongSymlinks) {
  root_.make_symlink(at("s0"), long_way);
  for (int i = 1; i < 39; ++i)
    root_.make_symlink(at("s" + std::to_string(i)), "s" + std::to_string(i - 1) + "/" + long_way);
  EXPECT_NE(error_of([&] { at("s38/file"); }).find("more than Linux can use"), std::string::npos);
}

TEST_F(RootedDir, SetsAndListsExtendedAttributes) {
  root_.create_file(at("file"));
  const auto error = root_.set_xattr(at("file"), "user.name", std::string_view("a\0b", 3));
  if (error == std::errc::not_supported) GTEST_SKIP() << "the filesystem has no extended attributes";
  ASSERT_FALSE(error) << error.message();
  EXPECT_EQ(root_.list_xattrs(at("file")), std::vector<std::string>{"user.name"});
  EXPECT_FALSE(root_.remove_xattr(at("file"), "user.name"));
  EXPECT_TRUE(root_.list_xattrs(at("file")).empty());
}
