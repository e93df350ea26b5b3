// The files of a context as a walk shows them.
#include "common/context/tree.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/deep_tree.hpp"

namespace {

using context::Entry;
using context::Ignore;
using context::Tree;
using Paths = std::vector<std::string>;

class ContextTree : public testing::Test {
protected:
  ContextTree() {
    for (const char* file : {"a/x.c", "a/x.o", "a/b/y.c", "a.txt", "c/d/e", "c/f", "z"}) {
      const auto path = root() / file;
      std::filesystem::create_directories(path.parent_path());
      sys::write_file(path, file);
    }
    std::filesystem::create_symlink("../a", root() / "c" / "link");
  }

  const std::filesystem::path& root() const { return directory_.path(); }

  Paths walk(std::string_view ignore, std::string_view from = "") const {
    Paths paths;
    Tree(root(), Ignore::parse(ignore)).walk(from, [&](const Entry& entry) { paths.push_back(entry.path); });
    return paths;
  }

  bool has(std::string_view ignore, std::string_view path) const {
    return Tree(root(), Ignore::parse(ignore)).find(path).has_value();
  }

private:
  sys::TempDir directory_{std::filesystem::temp_directory_path()};
};

TEST_F(ContextTree, ShowsEachDirectoryInByteOrderBeforeWhatLiesInIt) {
  EXPECT_EQ(walk(""), (Paths{"a", "a/b", "a/b/y.c", "a/x.c", "a/x.o", "a.txt", "c", "c/d", "c/d/e", "c/f",
                             "c/link", "z"}));
}

TEST_F(ContextTree, ShowsWhatLiesBelowAPlace) {
  EXPECT_EQ(walk("", "a"), (Paths{"a/b", "a/b/y.c", "a/x.c", "a/x.o"}));
  EXPECT_EQ(walk("", "z"), Paths{});
  EXPECT_EQ(walk("", "none/at/all"), Paths{});
}

// A level of it is a descriptor and a call.
TEST_F(ContextTree, WalksNoDeeperThanAPathCanSay) {
  test::make_too_deep(root() / "c");
  const auto shown = walk("", "c");
  EXPECT_EQ(shown.at(17).size(), 1U + 16 * 256);  // the first that is too long
  EXPECT_EQ(shown.at(18), "c/f");
}

TEST_F(ContextTree, LeavesOutWhatIsIgnored) {
  EXPECT_EQ(walk("**/*.o\nc\n"), (Paths{"a", "a/b", "a/b/y.c", "a/x.c", "a.txt", "z"}));
  EXPECT_EQ(walk("c\n", "c/d"), Paths{});
}

TEST_F(ContextTree, ShowsTheDirectoriesAboveAnException) {
  EXPECT_EQ(walk("*\n!c/d/e\n"), (Paths{"c", "c/d", "c/d/e"}));
  EXPECT_EQ(walk("*\n!c/d\n"), (Paths{"c", "c/d", "c/d/e"}));
  EXPECT_EQ(walk("*\n!**/*.c\n"), (Paths{"a", "a/b", "a/b/y.c", "a/x.c"}));
  EXPECT_EQ(walk("*\n!none/at/all\n"), Paths{});
}

TEST_F(ContextTree, DoesNotFollowSymlinks) {
  const Tree tree(root(), Ignore());
  const auto entry = tree.find("c/link");
  ASSERT_TRUE(entry);
  EXPECT_TRUE(S_ISLNK(entry->status.st_mode));
  EXPECT_EQ(entry->link, "../a");
  EXPECT_FALSE(tree.find("c/link/x.c"));
  EXPECT_EQ(walk("", "c/link"), Paths{});
}

TEST_F(ContextTree, FindsWhatIsNotIgnored) {
  EXPECT_TRUE(has("", ""));
  EXPECT_TRUE(has("*\n", ""));
  EXPECT_TRUE(has("", "a/b/y.c"));
  EXPECT_FALSE(has("", "a/none"));
  EXPECT_FALSE(has("a\n", "a/b/y.c"));
  EXPECT_FALSE(has("a\n", "a"));
  EXPECT_TRUE(has("*\n!a/b\n", "a"));
  EXPECT_TRUE(has("*\n!a/b\n", "a/b/y.c"));
  EXPECT_FALSE(has("*\n!a/none\n", "a"));
  EXPECT_FALSE(has("", "z/below/a/file"));
}

TEST_F(ContextTree, OpensRegularFilesOnly) {
  const Tree tree(root(), Ignore::parse("*\n"));
  EXPECT_EQ(sys::read_to_end(tree.open("a/b/y.c").fd.get(), "y.c"), "a/b/y.c");
  EXPECT_THROW(tree.open("a"), util::Error);
  EXPECT_THROW(tree.open("c/link"), util::Error);
  EXPECT_THROW(tree.open("none"), util::Error);
  ASSERT_EQ(::mkfifo((root() / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(tree.open("pipe"), util::Error);
}

TEST_F(ContextTree, RefusesARootThatIsNoDirectory) {
  EXPECT_THROW(Tree(root() / "z", Ignore()), util::Error);
  EXPECT_THROW(Tree(root() / "none", Ignore()), util::Error);
}

// Root may read everything, so it becomes someone else for a while.
class AsNobody {
public:
  AsNobody() {
    if (::geteuid() == 0) was_root_ = ::seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (was_root_ && ::seteuid(0) != 0) std::abort();
  }

private:
  bool was_root_ = false;
};

TEST_F(ContextTree, SaysWhichDirectoryCannotBeReadUnlessItIsIgnored) {
  using std::filesystem::perms;
  std::filesystem::permissions(root(), perms(0755));
  std::filesystem::permissions(root() / "c", perms::none);
  {
    const AsNobody nobody;
    EXPECT_THROW(walk(""), util::Error);
    EXPECT_EQ(walk("c\na\n"), (Paths{"a.txt", "z"}));
    EXPECT_EQ(walk("c\na\n!c/*\n"), (Paths{"a.txt", "z"}));
  }
  std::filesystem::permissions(root() / "c", perms::owner_all);
}

}  // namespace
