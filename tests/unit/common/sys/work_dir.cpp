// Work directories and what killed runs leave of them.
#include "common/sys/work_dir.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "tests/support/in_child.hpp"

namespace {

namespace fs = std::filesystem;

// A run that is killed after it wrote into its work directory.
void kill_a_run(const fs::path& parent) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const sys::WorkDir dir(parent);
    sys::write_file(dir.path() / "file", "content");
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(WorkDir, GoesAwayWithAllItHolds) {
  const sys::TempDir parent(fs::temp_directory_path());
  std::optional<sys::WorkDir> dir(std::in_place, parent.path());
  sys::write_file(dir->path() / "file", "content");
  dir.reset();
  EXPECT_TRUE(fs::is_empty(parent.path()));
}

TEST(WorkDir, RemovesWhatAKilledRunLeft) {
  const sys::TempDir parent(fs::temp_directory_path());
  kill_a_run(parent.path());
  ASSERT_FALSE(fs::is_empty(parent.path()));
  { const sys::WorkDir next(parent.path()); }
  EXPECT_TRUE(fs::is_empty(parent.path()));
}

// How many entries a run leaves of a work directory with `files` files, when it ends after SIGTERM.
std::ptrdiff_t left_after_a_stop(const fs::path& parent, int files) {
  EXPECT_EQ(test::in_child([&] {
              const sys::WorkDir dir(parent);
              {
                const sys::TempDir inner(dir.path());
                for (int i = 0; i < files; ++i) {
                  const auto path = inner.path() / std::to_string(i);
                  if (::mknod(path.c_str(), S_IFREG | 0644, 0) != 0) return 1;
                }
                sys::cancel_on_signals();
                ::raise(SIGTERM);
              }
              return 0;
            }),
            0);
  return std::distance(fs::recursive_directory_iterator(parent), fs::recursive_directory_iterator());
}

TEST(WorkDir, IsLeftToTheNextRunAfterAStopIfItHoldsMuch) {
  const sys::TempDir parent(fs::temp_directory_path());
  EXPECT_EQ(left_after_a_stop(parent.path(), 900), 0);
  EXPECT_GT(left_after_a_stop(parent.path(), 30'000), 5000);
  { const sys::WorkDir next(parent.path()); }
  EXPECT_TRUE(fs::is_empty(parent.path()));
}

TEST(WorkDir, SparesRunsThatLive) {
  const sys::TempDir parent(fs::temp_directory_path());
  const sys::WorkDir first(parent.path());
  sys::write_file(first.path() / "file", "content");
  const sys::WorkDir second(parent.path());
  EXPECT_NE(first.path(), second.path());
  EXPECT_TRUE(fs::exists(first.path() / "file"));
}

TEST(WorkDir, SparesFilesAndLinksOfThatName) {
  const sys::TempDir parent(fs::temp_directory_path());
  const sys::TempDir other(fs::temp_directory_path());
  sys::write_file(other.path() / "file", "content");
  sys::write_file(parent.path() / "oci-work-file", "content");
  fs::create_directory_symlink(other.path(), parent.path() / "oci-work-link");
  const sys::WorkDir dir(parent.path());
  EXPECT_TRUE(fs::exists(other.path() / "file"));
  EXPECT_TRUE(fs::exists(parent.path() / "oci-work-file"));
}

TEST(WorkDir, IsClearedAwayWithFilesOfKilledRuns) {
  const sys::TempDir parent(fs::temp_directory_path());
  const sys::WorkFile lives(parent.path(), "oci-work-");
  sys::write_file(parent.path() / "oci-work-abcdef", "of a run that was killed");
  { const sys::WorkDir next(parent.path()); }
  EXPECT_FALSE(fs::exists(parent.path() / "oci-work-abcdef"));
  EXPECT_TRUE(fs::exists(lives.path()));
}

TEST(WorkFile, HasTheModeAskedForAndGoesAwayWithoutCommit) {
  const sys::TempDir parent(fs::temp_directory_path());
  {
    const sys::WorkFile file(parent.path(), "f-", 0640);
    EXPECT_EQ(fs::status(file.path()).permissions(), fs::perms{0640});
  }
  EXPECT_TRUE(fs::is_empty(parent.path()));
}

TEST(WorkFile, TakesItsPlaceWhole) {
  const sys::TempDir parent(fs::temp_directory_path());
  sys::write_file(parent.path() / "place", "old");
  sys::WorkFile file(parent.path(), "f-");
  sys::write_file(file.path(), "new");  // as some writers do, another file of that name
  file.commit(parent.path() / "place");
  EXPECT_EQ(sys::read_file(parent.path() / "place"), "new");
  EXPECT_FALSE(fs::exists(file.path()));
}

TEST(WorkDir, SparesDirectoriesOfOtherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const sys::TempDir parent(fs::temp_directory_path());
  const auto foreign = parent.path() / "oci-work-foreign";
  fs::create_directory(foreign);
  ASSERT_EQ(::chown(foreign.c_str(), 12345, 12345), 0);
  const sys::WorkDir dir(parent.path());
  EXPECT_TRUE(fs::exists(foreign));
}

}  // namespace
