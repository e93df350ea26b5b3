// Whole files and whole trees.
#include "common/sys/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <span>
#include <string>

#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"

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

// Nobody else has these open, so a reader that waits would wait for ever.
TEST_F(File, ThatIsNoneIsNamedInsteadOfWaitedFor) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  ASSERT_EQ(::mknod(path("socket").c_str(), S_IFSOCK | 0600, 0), 0);
  fs::create_directory(path("directory"));
  const auto shown = [&](const std::string& name) { return "'" + path(name).string() + "'"; };
  for (const auto readable : {sys::Readable::input, sys::Readable::piped_input, sys::Readable::entry}) {
    const auto reason = [&](const fs::path& p) {
      return test::error_of([&] { sys::read_file(p, 1 << 20, readable); });
    };
    EXPECT_EQ(reason(path("fifo")), shown("fifo") + " is a FIFO, not a file");
    EXPECT_EQ(reason(path("socket")), shown("socket") + " is a socket, not a file");
    EXPECT_EQ(reason(path("directory")), shown("directory") + " is a directory, not a file");
    EXPECT_EQ(reason("/dev/zero"), "'/dev/zero' is a device, not a file");
  }
  EXPECT_EQ(test::error_of([&] { sys::find_readable(path("fifo")); }),
            shown("fifo") + " is a FIFO, not a file");
}

TEST_F(File, NamedByAPersonIsFoundThroughSymlinksAndEmptyAsTheNullDevice) {
  sys::write_file(path("f"), "x");
  fs::create_symlink("f", path("link"));
  EXPECT_EQ(sys::read_file(path("link")), "x");
  EXPECT_EQ(sys::read_file("/dev/null"), "");
}

TEST_F(File, OfADirectoryThatWeKeepIsNoSymlinkAndNoDevice) {
  sys::write_file(path("f"), "x");
  EXPECT_EQ(sys::read_file(path("f"), 1, sys::Readable::entry), "x");
  for (const auto* name : {"f", "nothing"}) {
    fs::remove(path("link"));
    fs::create_symlink(name, path("link"));
    EXPECT_EQ(test::error_of([&] { sys::find_readable(path("link"), sys::Readable::entry); }),
              "'" + path("link").string() + "' is a symbolic link, not a file");
  }
  EXPECT_EQ(test::error_of([] { sys::open_readable("/dev/null", sys::Readable::entry); }),
            "'/dev/null' is a device, not a file");
}

TEST_F(File, ThatIsMissingIsNoErrorToWhoLooksForIt) {
  sys::write_file(path("f"), "x");
  EXPECT_TRUE(sys::find_readable(path("f")));
  EXPECT_FALSE(sys::find_readable(path("absent")));
  EXPECT_FALSE(sys::find_readable(path("f") / "below"));
}

TEST_F(File, MayBeAPipeOnlyWhereItIsReadOnce) {
  const auto pipe = sys::make_pipe();
  sys::write_all(pipe.write_end.get(), std::string_view("x"), "pipe");
  const auto name = "/dev/fd/" + std::to_string(pipe.read_end.get());
  EXPECT_EQ(test::error_of([&] { sys::open_readable(name); }), "'" + name + "' is a FIFO, not a file");
  const auto fd = sys::open_readable(name, sys::Readable::piped_input);
  std::byte byte;
  EXPECT_EQ(sys::read_some(fd.get(), std::span(&byte, 1), name), 1U);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0) << "a slow writer would look like the end";
}

TEST_F(File, ThatCannotBeWrittenWholeLeavesNothing) {
  const auto code = test::in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = 1, .rlim_max = 1};
    if (::setrlimit(RLIMIT_FSIZE, &small) != 0) return 1;
    return test::error_of([&] { sys::write_file(path("f"), "whole"); }).ends_with("File too large") ? 0 : 2;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(entries(), 0);
}

TEST_F(File, AppearsUnderItsNameAlone) {
  sys::write_file(path("f"), "whole", 0640);
  EXPECT_EQ(sys::read_file(path("f")), "whole");
  EXPECT_EQ(fs::status(path("f")).permissions(), fs::perms(0640));
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, ThatCannotTakeItsPlaceLeavesNothing) {
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
