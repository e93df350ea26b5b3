// Whole files and whole trees.
#include "common/sys/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
protected:
  fs::path path(const std::string& name) const { return dir_.path() / name; }

  // What stands in the directory beside the names the test knows.
  long entries() const {
    return std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator());
  }

private:
  sys::TempDir dir_{fs::temp_directory_path()};
};

TEST_F(File, ReadsBackEveryByteItWrote) {
  const std::string content("a\0b\xff\n", 5);
  sys::write_file(path("f"), content);
  EXPECT_EQ(sys::read_file(path("f")), content);
}

TEST_F(File, HasTheModeAskedForWhateverTheUmask) {
  const mode_t before = ::umask(077);
  sys::write_file(path("f"), "x", 0644);
  ::umask(before);
  struct stat status;
  ASSERT_EQ(::stat(path("f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
}

TEST_F(File, IsReplacedWithoutTouchingWhatOthersHaveOpen) {
  sys::write_file(path("f"), "old");
  const auto open = sys::open_readable(path("f"));
  sys::write_file(path("f"), "new");
  EXPECT_EQ(sys::read_to_end(open.get(), "f"), "old");
  EXPECT_EQ(sys::read_file(path("f")), "new");
}

TEST_F(File, ThatIsMissingIsNamedWithTheReason) {
  try {
    sys::read_file(path("absent"));
    FAIL() << "nothing was thrown";
  } catch (const util::Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot open '" + path("absent").string() + "': No such file or directory");
  }
}

TEST_F(File, LargerThanTheLimitIsAnError) {
  sys::write_file(path("f"), "12345");
  EXPECT_EQ(sys::read_file(path("f"), 5), "12345");
  EXPECT_THROW(sys::read_file(path("f"), 4), util::Error);
}

TEST_F(File, PendingLeavesNothingWithoutCommit) {
  { const sys::PendingFile file(path("f")); }
  EXPECT_EQ(entries(), 0);
}

TEST_F(File, PendingAppearsUnderItsNameAtCommit) {
  sys::PendingFile file(path("f"));
  sys::write_all(file.fd(), std::string_view("whole"), "f");
  EXPECT_FALSE(fs::exists(path("f")));
  file.commit();
  EXPECT_EQ(sys::read_file(path("f")), "whole");
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, PendingThatCannotTakeItsPlaceLeavesNothing) {
  fs::create_directory(path("f"));
  EXPECT_THROW(sys::write_file(path("f"), "x"), util::Error);
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, DirectoryTakesThePlaceOfNothing) {
  fs::create_directory(path("new"));
  sys::write_file(path("new") / "f", "new");
  sys::replace_directory(path("new"), path("place"));
  EXPECT_EQ(sys::read_file(path("place") / "f"), "new");
  EXPECT_FALSE(fs::exists(path("new")));
}

TEST_F(File, DirectoryTakesThePlaceOfOneThatIsNotEmpty) {
  for (const auto* name : {"new", "place"}) {
    fs::create_directory(path(name));
    sys::write_file(path(name) / "f", name);
  }
  sys::replace_directory(path("new"), path("place"));
  EXPECT_EQ(sys::read_file(path("place") / "f"), "new");
}

TEST_F(File, DirectoryThatIsMissingCannotReplaceAnother) {
  EXPECT_THROW(sys::replace_directory(path("absent"), path("place")), util::Error);
}

}  // namespace
