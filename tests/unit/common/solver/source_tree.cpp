#include "common/solver/source_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <ctime>

#include "common/solver/directories.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/unit/common/solver/trees.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class Sources : public test::Trees {
protected:
  std::unique_ptr<SourceTree> context() const {
    return context_source(std::make_shared<context::Tree>(source(), context::load_ignore(source())));
  }

  static void set_time(const fs::path& path, std::int64_t seconds) {
    const timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 0}, {.tv_sec = seconds, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
};

TEST_F(Sources, OfAContextBelongToRootAndLackWhatIsIgnored) {
  write(source() / ".dockerignore", "*.log\n");
  write(source() / "a.log", "x");
  write(source() / "sub/f", "content");
  ASSERT_EQ(::chown((source() / "sub/f").c_str(), 5, 6), 0);
  const auto tree = context();
  EXPECT_FALSE(tree->status("a.log"));
  EXPECT_EQ(tree->list(""), (Names{".dockerignore", "sub"}));
  EXPECT_EQ(tree->status("sub/f")->st_uid + tree->status("sub/f")->st_gid, 0U);
  EXPECT_EQ(sys::read_to_end(tree->open("sub/f").get(), "f"), "content");
}

// A client sends what lies below it.
TEST_F(Sources, OfAContextHaveARootThatIsMadeAnew) {
  ASSERT_EQ(::chmod(source().c_str(), 0700), 0);
  set_time(source(), 500'000'000);
  const auto before = ::time(nullptr);
  const auto root = context()->status("");
  EXPECT_EQ(root->st_mode, mode_t{S_IFDIR | 0755});
  EXPECT_GE(root->st_mtim.tv_sec, before - 1);  // the clock of files may be behind
  EXPECT_EQ(root_source(source())->status("")->st_mtim.tv_sec, 500'000'000);
}

// 64 bits of nanoseconds, on a filesystem of 32 bits of seconds before 1970.
TEST_F(Sources, OfAContextHaveTheTimesThatAClientSends) {
  const auto sent = [&](std::int64_t seconds) {
    write(source() / "f", "x");
    set_time(source() / "f", seconds);
    return context()->status("f")->st_mtim.tv_sec;
  };
  EXPECT_EQ(sent(-5), -5);
  EXPECT_EQ(sent(9'223'372'036), 9'223'372'036);
  EXPECT_EQ(sent(9'223'372'037), -2'147'483'648);
}

// A step may run for hours between two copies.
TEST_F(Sources, OfAContextShowNoFileInTwoStates) {
  write(source() / "f", "old");
  const auto tree = context();
  write(source() / "f", "new");  // until somebody reads it
  write(source() / "later", "x");
  EXPECT_EQ(sys::read_to_end(tree->open("f").get(), "f"), "new");
  EXPECT_EQ(sys::read_to_end(tree->open("f").get(), "f"), "new");
  EXPECT_FALSE(tree->status("later"));
  fs::remove(source() / "f");
  write(source() / "f", "end");
  EXPECT_EQ(test::error_of([&] { tree->open("f"); }),
            "the file 'f' of the build context changed between two reads of it: let nothing write to the "
            "context during the build");
}

TEST_F(Sources, OfARootKeepTheirOwnersAndComeInByteOrder) {
  for (const auto* name : {"b", "a", "B", "\xc3\xa4", "a.b"})
    write(source() / name, "x");
  ASSERT_EQ(::chown((source() / "a").c_str(), 5, 6), 0);
  const auto tree = root_source(source());
  EXPECT_EQ(tree->list(""), (Names{"B", "a", "a.b", "b", "\xc3\xa4"}));
  EXPECT_EQ(tree->status("a")->st_uid, 5U);
}

TEST_F(Sources, AreFollowedInsideTheTreeAlone) {
  write(source() / "real/f", "x");
  fs::create_directory_symlink("/real", source() / "absolute");
  fs::create_directory_symlink("../../..", source() / "real/up");
  fs::create_symlink("nowhere/../real/f", source() / "through");
  for (const auto& tree : {context(), root_source(source())}) {
    EXPECT_EQ(follow(*tree, "/absolute/f"), "real/f");
    EXPECT_EQ(follow(*tree, "real/up/real/f"), "real/f");
    EXPECT_EQ(follow(*tree, "../../real/./f"), "real/f");
    EXPECT_EQ(follow(*tree, "no/such"), "no/such");
    EXPECT_EQ(follow(*tree, "through"), "real/f");
  }
}

TEST_F(Sources, EndAtALoop) {
  fs::create_symlink("b", source() / "a");
  fs::create_symlink("a", source() / "b");
  EXPECT_EQ(test::error_of([&] { follow(*root_source(source()), "a/x"); }),
            "failed to compute cache key: failed to calculate checksum: too many links");
}

TEST_F(Sources, AreNotOpenedThroughASymlinkThatWasNotFollowed) {
  write(source() / "real/f", "x");
  fs::create_directory_symlink("real", source() / "link");
  EXPECT_FALSE(root_source(source())->status("link/f"));
  EXPECT_FALSE(context()->status("link/f"));
}

TEST_F(Sources, ThatAreNoFilesAreNotOpenedForReading) {
  ASSERT_EQ(::mkfifo((source() / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(root_source(source())->open("fifo"), util::Error);
  EXPECT_THROW(context()->open("fifo"), util::Error);
}

TEST_F(Sources, ThatChangedSinceTheyWereLookedAtAreErrors) {
  write(source() / "d/f", "x");
  const auto tree = root_source(source());
  const auto is_an_error = [](const auto& action) {
    EXPECT_NE(test::error_of(action).find(" changed while it was copied"), std::string::npos)
        << test::error_of(action);
  };
  const auto all_are_errors = [&] {
    is_an_error([&] { tree->list("d"); });
    is_an_error([&] { tree->read_link("d/f"); });
    is_an_error([&] { tree->open("d/f"); });
    is_an_error([&] { tree->xattrs("d/f"); });
  };
  ASSERT_TRUE(tree->status("d/f"));
  fs::rename(source() / "d", source() / "moved");
  tree->status("moved");  // leaves the directory
  all_are_errors();
  fs::create_directory_symlink("moved", source() / "d");
  tree->status("moved");
  all_are_errors();
  EXPECT_FALSE(tree->status("d/f"));
  is_an_error([&] { tree->list("moved/f"); });
  is_an_error([&] { tree->read_link("moved/f"); });
}

class Directories : public test::Trees {
protected:
  std::string made(const std::string& path, const std::optional<sandbox::Owner>& owner = {}) {
    auto rooted = sys::RootedDir::open(root());
    return make_directories(*directory_target(rooted), path, 0751, owner).str();
  }
};

TEST_F(Directories, AreMadeWithTheModeAndOwnerWhereTheyAreMissing) {
  fs::create_directory(root() / "old");
  EXPECT_EQ(made("/old/a/b/", sandbox::Owner{3, 4}), "old/a/b");
  EXPECT_EQ(facts(root() / "old"), "d 755 0:0");
  EXPECT_EQ(facts(root() / "old/a"), "d 751 3:4");
  EXPECT_EQ(facts(root() / "old/a/b"), "d 751 3:4");
}

TEST_F(Directories, AreMadeWhereSymlinksPointButInsideTheRoot) {
  fs::create_symlink("/new/target", root() / "dangling");
  fs::create_symlink("../../..", root() / "up");
  EXPECT_EQ(made("/dangling/x"), "new/target/x");
  EXPECT_EQ(made("/up/../y"), "y");
  EXPECT_EQ(made("/"), "");
  EXPECT_EQ(names(), (Names{"dangling", "new", "new/target", "new/target/x", "up", "y"}));
}

TEST_F(Directories, AreRefusedWhereAFileOrALoopStands) {
  write(root() / "file", "x");
  fs::create_symlink("loop", root() / "loop");
  EXPECT_EQ(test::error_of([&] { made("/file/x"); }), "lstat /file/x: not a directory");
  EXPECT_EQ(test::error_of([&] { made("/file/"); }), "mkdir /file: not a directory");
  EXPECT_EQ(test::error_of([&] { made("/loop/x"); }), "too many symlinks in '/loop/x'");
}

}  // namespace
}  // namespace solver
