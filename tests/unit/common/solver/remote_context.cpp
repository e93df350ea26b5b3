#include "common/solver/remote_context.hpp"

#include <gtest/gtest.h>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;

class ReadWithin : public testing::Test {
protected:
  ReadWithin() {
    fs::create_directories(root() / "d");
    sys::write_file(root() / "d/Dockerfile", "FROM scratch");
    sys::write_file(directory_.path() / "secret", "outside");
  }

  fs::path root() const { return directory_.path() / "root"; }
  std::optional<std::string> read(const std::string& path) const { return read_within(root(), path); }

private:
  sys::TempDir directory_{testing::TempDir()};
};

TEST_F(ReadWithin, FindsFilesAlsoBehindLinks) {
  fs::create_symlink("d/Dockerfile", root() / "link");
  fs::create_symlink("/d", root() / "absolute");
  EXPECT_EQ(read("d/Dockerfile"), "FROM scratch");
  EXPECT_EQ(read("./d/../link"), "FROM scratch");
  EXPECT_EQ(read("absolute/Dockerfile"), "FROM scratch");
}

TEST_F(ReadWithin, NeverReadsWhatLiesOutside) {
  fs::create_symlink("../secret", root() / "above");
  fs::create_symlink(root().parent_path() / "secret", root() / "absolute");
  for (const auto* path : {"../secret", "above", "absolute"})
    EXPECT_EQ(read(path), std::nullopt) << path;
}

TEST_F(ReadWithin, GivesNothingForWhatIsMissingOrNoFile) {
  fs::create_symlink("nowhere", root() / "dangling");
  for (const auto* path : {"Dockerfile", "d", "", "dangling", "d/Dockerfile/x"})
    EXPECT_EQ(read(path), std::nullopt) << path;
}

}  // namespace
}  // namespace solver
