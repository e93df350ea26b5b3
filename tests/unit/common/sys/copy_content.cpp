#include "common/sys/copy_content.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"

namespace sys {
namespace {

constexpr auto everything = std::numeric_limits<std::uint64_t>::max();

TEST(CopyContent, CopiesFromAndToWhereTheFilesStand) {
  const TempDir directory(std::filesystem::temp_directory_path());
  write_file(directory.path() / "from", "0123456789");
  const auto from = open_readable(directory.path() / "from");
  const UniqueFd to(::open((directory.path() / "to").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(copy_content(from.get(), to.get(), 4, "from"), 4U);
  EXPECT_EQ(copy_content(from.get(), to.get(), everything, "from"), 6U);
  EXPECT_EQ(copy_content(from.get(), to.get(), everything, "from"), 0U);
  EXPECT_EQ(read_file(directory.path() / "to"), "0123456789");
}

TEST(CopyContent, EndsInTheMiddleOfAFileWhenCancelled) {
  const UniqueFd endless(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  std::stop_source stop;
  const std::jthread caller([&] { stop.request_stop(); });
  EXPECT_EQ(test::error_of(
                [&] { copy_content(endless.get(), nowhere.get(), everything, "zeros", stop.get_token()); }),
            "cancelled");
}

}  // namespace
}  // namespace sys
