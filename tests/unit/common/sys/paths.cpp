// Questions about paths: their answers, and that every failure is an Error with the kernel's reason.
#include "common/sys/paths.hpp"

#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"

namespace {

namespace fs = std::filesystem;
using sys::Links;

class PathsTest : public testing::Test {
protected:
  PathsTest() {
    sys::write_file(at("file"), "12345");
    fs::create_directories(at("directory/inside"));
    fs::create_symlink("directory", at("link"));
    fs::create_symlink("loop", at("loop"));
    fs::create_symlink("absent", at("dangling"));
  }
  fs::path at(const std::string& name) const { return top.path() / name; }
  std::string quoted(const std::string& name) const { return "'" + at(name).string() + "'"; }

  sys::TempDir top{"/tmp"};
};

std::vector<std::string> sorted_names(const std::vector<fs::path>& paths) {
  std::vector<std::string> names;
  for (const auto& path : paths)
    names.push_back(path.filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

TEST_F(PathsTest, FindsWhatIsThereWithItsStatus) {
  EXPECT_EQ(sys::find_status(at("file"))->st_size, 5);
  EXPECT_TRUE(S_ISDIR(sys::find_status(at("link"))->st_mode));
  EXPECT_TRUE(S_ISLNK(sys::find_status(at("link"), Links::kept)->st_mode));
}

TEST_F(PathsTest, FindsNothingWhereNothingIs) {
  EXPECT_FALSE(sys::is_there(at("absent")));
  EXPECT_FALSE(sys::is_there(at("file/below")));
  EXPECT_FALSE(sys::is_there(at("dangling")));
  EXPECT_TRUE(sys::is_there(at("dangling"), Links::kept));
}

TEST_F(PathsTest, SaysWhatCannotBeLookedAt) {
  const auto look = [&](const std::string& name) { return test::error_of([&] { sys::is_there(at(name)); }); };
  EXPECT_EQ(look("loop"), "cannot look at " + quoted("loop") + ": Too many levels of symbolic links");
  const std::string long_name(256, 'n');
  EXPECT_EQ(look(long_name), "cannot look at " + quoted(long_name) + ": File name too long");
  EXPECT_FALSE(sys::leads_to_directory(at("loop")));
}

TEST_F(PathsTest, GivesTheKernelsReasonAsTheCause) {
  try {
    sys::is_there(at("loop"));
    FAIL() << "nothing was thrown";
  } catch (const util::Error& error) {
    EXPECT_EQ(error.cause().code, std::errc::too_many_symbolic_link_levels);
  }
}

TEST_F(PathsTest, ListsADirectory) {
  EXPECT_EQ(sorted_names(sys::entries_of(top.path())),
            (Names{"dangling", "directory", "file", "link", "loop"}));
  EXPECT_EQ(sys::entries_of(at("link")), std::vector{at("link/inside")});
  EXPECT_TRUE(sys::entries_of(at("directory/inside")).empty());
}

TEST_F(PathsTest, SaysWhichDirectoryCannotBeRead) {
  const auto list = [&](const std::string& name) {
    return test::error_of([&] { sys::entries_of(at(name)); });
  };
  EXPECT_EQ(list("absent"), "cannot read the directory " + quoted("absent") + ": No such file or directory");
  EXPECT_EQ(list("file"), "cannot read the directory " + quoted("file") + ": Not a directory");
  EXPECT_EQ(list("loop"),
            "cannot read the directory " + quoted("loop") + ": Too many levels of symbolic links");
  for (const auto* name : {"absent", "file", "loop"})
    EXPECT_TRUE(sys::readable_entries_of(at(name)).empty()) << name;
}

TEST_F(PathsTest, SaysThatADirectoryMayNotBeRead) {
  ASSERT_EQ(::chmod(at("directory").c_str(), 0), 0);
  // A user without rights, as root may read everything.
  EXPECT_EQ(test::in_child([&] {
              ::setfsuid(65534);
              const auto said = test::error_of([&] { sys::entries_of(at("directory")); });
              const auto reason = "cannot read the directory " + quoted("directory") + ": Permission denied";
              const auto parent_reason =
                  "cannot look at " + quoted("directory/inside") + ": Permission denied";
              return said == reason &&
                             test::error_of([&] { sys::is_there(at("directory/inside")); }) == parent_reason
                         ? 0
                         : 1;
            }),
            0);
}

TEST_F(PathsTest, MakesADirectoryWithItsModeWhateverTheUmask) {
  EXPECT_EQ(test::in_child([&] {
              ::umask(0777);
              sys::make_directory(at("new"), 0751);
              return static_cast<int>(sys::find_status(at("new"))->st_mode & 0777) == 0751 ? 0 : 1;
            }),
            0);
}

TEST_F(PathsTest, SaysWhichDirectoryCannotBeMade) {
  const auto make = [&](const std::string& name) {
    return test::error_of([&] { sys::make_directory(at(name), 0755); });
  };
  EXPECT_EQ(make("file"), "cannot make the directory " + quoted("file") + ": File exists");
  EXPECT_EQ(make("file/x"), "cannot make the directory " + quoted("file/x") + ": Not a directory");
  EXPECT_EQ(make("loop/x"),
            "cannot make the directory " + quoted("loop/x") + ": Too many levels of symbolic links");
  EXPECT_EQ(test::error_of([&] { sys::set_mode(at("absent"), 0755); }),
            "cannot set the mode of " + quoted("absent") + ": No such file or directory");
}

TEST_F(PathsTest, ResolvesAPath) {
  const auto real = fs::canonical(top.path());
  EXPECT_EQ(sys::resolved_path(at("link/../file")), real / "file");
  EXPECT_EQ(test::error_of([&] { sys::resolved_path(at("dangling")); }),
            "cannot resolve " + quoted("dangling") + ": No such file or directory");
}

TEST_F(PathsTest, MakesAPathAbsoluteWithoutLookingAtIt) {
  EXPECT_EQ(sys::absolute_path(at("absent")), at("absent"));
  EXPECT_EQ(sys::absolute_path("absent/file"), fs::current_path() / "absent/file");
  EXPECT_EQ(test::in_child([&] {
              if (::chdir(at("directory/inside").c_str()) != 0) return 1;
              fs::remove(at("directory/inside"));
              return test::error_of([] { sys::absolute_path("file"); }) ==
                             "cannot find the working directory: No such file or directory"
                         ? 0
                         : 2;
            }),
            0);
}

TEST_F(PathsTest, ReadsWhereALinkPoints) {
  const std::string far(3000, 'x');
  ASSERT_EQ(::symlink(far.c_str(), at("far").c_str()), 0);
  EXPECT_EQ(sys::link_target(at("link")), "directory");
  EXPECT_EQ(sys::link_target(at("far")).string(), far);
  EXPECT_EQ(test::error_of([&] { sys::link_target(at("file")); }),
            "cannot read the symbolic link " + quoted("file") + ": Invalid argument");
}

}  // namespace
