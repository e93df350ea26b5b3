// Layers as trees of their own: layer::Reading::overlay.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/layer/apply.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/tar_archive.hpp"

namespace fs = std::filesystem;
using test::Member;

namespace {

class Overlay : public testing::Test {
protected:
  // Each argument is one layer.
  void apply(const std::vector<std::vector<Member>>& layers) {
    for (const auto& members : layers) {
      const auto source = stream::from_string(test::archive(members));
      applier_.apply(*source, "the tar archive");
    }
    applier_.finish();
  }

  struct stat status(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(::lstat((top_ / path).c_str(), &status), 0) << path;
    return status;
  }

  // Every name, sorted, with blanks between.
  std::string names() {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(top_))
      found.push_back(entry.path().lexically_relative(top_).string());
    std::sort(found.begin(), found.end());
    std::string all;
    for (const auto& name : found)
      all += (all.empty() ? "" : " ") + name;
    return all;
  }

  static Member plain(const std::string& path) { return {.path = path, .content = "x"}; }
  static Member folder(const std::string& path, unsigned mode = 0755, std::int64_t mtime = 0) {
    return {.path = path, .kind = '5', .mode = mode, .mtime = mtime};
  }
  static Member link_to(const std::string& path, const std::string& target, char kind = '2') {
    return {.path = path, .kind = kind, .link_target = target};
  }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path top_ = [this] {
    fs::create_directory(temp_.path() / "root");
    return temp_.path() / "root";
  }();
  sys::RootedDir root_ = sys::RootedDir::open(top_);
  layer::Applier applier_{root_, {.reading = layer::Reading::overlay}};
};

TEST_F(Overlay, ADirectoryOnTheWayReplacesALowerSymlinkOrFile) {
  apply({{folder("real"), link_to("link", "real"), plain("file")}, {plain("link/a"), plain("file/b")}});
  EXPECT_EQ(names(), "file file/b link link/a real");
}

TEST_F(Overlay, ASymlinkOfTheOwnLayerIsFollowed) {
  apply({{folder("real")}, {folder("here"), link_to("link", "here"), plain("link/a")}});
  EXPECT_EQ(names(), "here here/a link real");
}

TEST_F(Overlay, ADirectoryOnTheWayIsWhatTheLowerOneIs) {
  apply({{folder("d", 01711, 5), plain("d/old")}, {plain("d/new")}});
  EXPECT_EQ(status("d").st_mode, mode_t{S_IFDIR | 01711});
  EXPECT_GT(status("d").st_mtim.tv_sec, 5);
  EXPECT_EQ(names(), "d d/new d/old");
}

TEST_F(Overlay, ADirectoryWithAnEntryIsWhatThatSays) {
  apply({{folder("d", 0711, 5), plain("d/old")}, {folder("d", 01700, 7), plain("d/new")}});
  EXPECT_EQ(status("d").st_mode, mode_t{S_IFDIR | 01700});
  EXPECT_EQ(status("d").st_mtim.tv_sec, 7);
}

TEST_F(Overlay, AHardLinkSetsModeAndTime) {
  apply({{{.path = "a", .content = "x", .mode = 0644, .mtime = 5},
          {.path = "b", .kind = '1', .link_target = "a", .mode = 04750, .mtime = 7}}});
  EXPECT_EQ(status("a").st_ino, status("b").st_ino);
  EXPECT_EQ(status("a").st_mode, mode_t{S_IFREG | 04750});
  EXPECT_EQ(status("a").st_mtim.tv_sec, 7);
}

TEST_F(Overlay, AHardLinkNamesNothingOfALowerLayer) {
  EXPECT_EQ(test::error_of([&] {
              apply({{plain("a")}, {link_to("b", "a", '1')}});
            }),
            "the hard link '/b' points at 'a', which its layer does not bring");
}

TEST_F(Overlay, WhiteoutsHideLowerLayersAndLeaveNoMark) {
  apply({{folder("d"), plain("d/gone"), plain("d/kept"), plain("gone")},
         {plain(".wh.gone"), plain("d/.wh.gone"), plain("new/.wh.x"), plain("new/y")}});
  EXPECT_EQ(names(), "d d/kept new new/y");
}

TEST_F(Overlay, ADirectoryAfterItsWhiteoutShowsWhatLiesBelow) {
  apply({{folder("d"), plain("d/old")}, {plain(".wh.d"), folder("d"), plain("d/new")}});
  EXPECT_EQ(names(), "d d/new d/old");
}

TEST_F(Overlay, AnOpaqueMarkerHidesLowerLayersWhereverItStands) {
  apply({{folder("d"), plain("d/old"), folder("e"), plain("e/old")},
         {plain("d/new"), plain("d/.wh..wh..opq"), plain("e/.wh..wh..opq"), plain("e/new")}});
  EXPECT_EQ(names(), "d d/new e e/new");
}

TEST_F(Overlay, TheRootIsNeverOpaque) {
  apply({{plain("old")}, {plain(".wh..wh..opq"), folder(".", 0700), plain("new")}});
  EXPECT_EQ(names(), "new old");
  EXPECT_EQ(status("").st_mode & 0777U, 0755U);
}

TEST_F(Overlay, NoNameOfALayerIsWhereItStandsBeforeItIsMoved) {
  apply({{plain(".wh..wh.layer/low")},
         {folder("etc"), plain(".wh..wh.layer/etc/b"), plain(".wh..wh.layer/.wh..wh.layer/c")}});
  EXPECT_EQ(names(),
            ".wh..wh.layer .wh..wh.layer/.wh..wh.layer .wh..wh.layer/.wh..wh.layer/c .wh..wh.layer/etc "
            ".wh..wh.layer/etc/b .wh..wh.layer/low etc");
}

TEST_F(Overlay, AWhiteoutOfWhatItsLayerBringsIsAnError) {
  EXPECT_EQ(test::error_of([&] {
              apply({{plain("a")}, {plain("a"), plain(".wh.a")}});
            }),
            "the whiteout '/.wh.a' hides what its own layer brings");
}

TEST_F(Overlay, AMemberBelowAFileOfItsLayerIsAnError) {
  EXPECT_EQ(test::error_of([&] {
              apply({{}, {plain("a"), plain("a/b")}});
            }),
            "cannot enter '/a': Not a directory");
}

TEST_F(Overlay, AMemberBelowAWhiteoutOfItsLayerIsAnError) {
  EXPECT_EQ(test::error_of([&] {
              apply({{folder("a")}, {plain(".wh.a"), plain("a/b")}});
            }),
            "cannot enter '/a': Not a directory");
}

TEST_F(Overlay, ADevice0And0IsAWhiteout) {
  const auto device = [](const std::string& path) {
    Member member = plain(path);
    member.kind = '3';
    member.content.clear();
    return member;
  };
  apply({{plain("a"), plain("b"), device("c")}, {device("a")}});
  EXPECT_EQ(names(), "b");
}

TEST_F(Overlay, TimesOutsideOfWhatIsKeptBecome1970) {
  const Member early = {.path = "a", .content = "x", .pax = {{"mtime", "-5"}}};
  const Member late = {.path = "b", .content = "x", .pax = {{"mtime", "9300000000"}}};
  apply({{early}, {late}});
  EXPECT_EQ(status("a").st_mtim.tv_sec, 0);
  EXPECT_EQ(status("b").st_mtim.tv_sec, 0);
}

}  // namespace
