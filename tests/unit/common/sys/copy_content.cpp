#include "common/sys/copy_content.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <limits>
#include <thread>

#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"

namespace sys {
namespace {

constexpr auto everything = std::numeric_limits<std::uint64_t>::max();

TEST(CopyContent, CopiesFromAndToWhereTheFilesStand) {
  const TempDir directory(std::filesystem::temp_directory_path());
  write_file(directory.path() / "from", "0123456789");
  const auto from = open_readable(directory.path() / "from");
  const UniqueFd to(::open((directory.path() / "to").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const NamedFile source{from.get(), "from"};
  const NamedFile target{to.get(), "to"};
  EXPECT_EQ(copy_content(source, target, 4), 4U);
  EXPECT_EQ(copy_content(source, target, everything), 6U);
  EXPECT_EQ(copy_content(source, target, everything), 0U);
  EXPECT_EQ(read_file(directory.path() / "to"), "0123456789");
}

TEST(CopyContent, NamesTheFileThatIsToBlame) {
  const TempDir directory(std::filesystem::temp_directory_path());
  write_file(directory.path() / "from", "0123456789");
  const auto from = open_readable(directory.path() / "from");
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(test::error_of([&] {
              copy_content({from.get(), "'from'"}, {full.get(), "'to'"}, everything);
            }),
            "cannot write 'to': No space left on device");
  EXPECT_EQ(test::error_of([&] {
              copy_content({full.get(), "'from'"}, {from.get(), "'to'"}, everything);
            }),
            "cannot read 'from': Bad file descriptor");
}

// Within one filesystem the kernel copies, and says of both files but one thing.
TEST(CopyContent, NamesTheFileThatIsWrittenWhereItsFilesystemIsFull) {
  const TempDir directory(std::filesystem::temp_directory_path());
  const auto code = test::in_child([&] {
    if (!enter_private_mounts()) return 77;
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=64k") != 0) return 77;
    write_file(directory.path() / "from", std::string(40 << 10, 'x'));
    const auto from = open_readable(directory.path() / "from");
    const UniqueFd to(::open((directory.path() / "to").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(test::error_of([&] {
                copy_content({from.get(), "'from'"}, {to.get(), "'to'"}, everything);
              }),
              "cannot write 'to': No space left on device");
    return testing::Test::HasFailure() ? 1 : 0;
  });
  if (code == 77) GTEST_SKIP() << "this process may not mount";
  EXPECT_EQ(code, 0);
}

TEST(CopyContent, EndsInTheMiddleOfAFileWhenCancelled) {
  const UniqueFd endless(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  sys::Canceller stop;
  const std::jthread caller([&] { stop.cancel(); });
  EXPECT_EQ(
      test::error_of([&] {
        copy_content({endless.get(), "zeros"}, {nowhere.get(), "nowhere"}, everything, stop.cancellation());
      }),
      "cancelled");
}

}  // namespace
}  // namespace sys
