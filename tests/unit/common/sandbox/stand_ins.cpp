// What takes the place of mounts in a plain root.
#include "common/sandbox/stand_ins.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

class StandInsOfAStep : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "owners are set by root alone";
    for (const char* directory : {"root", "root/etc", "root/proc", "root/tmp", "aside", "cache"})
      fs::create_directory(base_.path() / directory);
    sys::write_file(root() / "etc/hosts", "of the image");
    sys::write_file(root() / "etc/resolv.conf", "of the image");
    spec_.root = root();
    stamp(root() / "etc");
    stamp(root());
  }

  fs::path root() const { return base_.path() / "root"; }
  fs::path aside() const { return base_.path() / "aside"; }
  fs::path cache() const { return base_.path() / "cache"; }

  static void stamp(const fs::path& path) {
    const timespec times[] = {{1000, 5}, {1000, 5}};
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  }
  static long time_of(const fs::path& path) { return sys::find_status(path)->st_mtim.tv_sec; }
  static std::string content(const fs::path& path) { return sys::read_file(path); }

  // Every name below the root, with its kind and what it holds.
  std::string listing() const {
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
      lines.push_back(entry.path().string() + (entry.is_regular_file() ? " " + content(entry.path()) : ""));
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const auto& line : lines)
      text += line + "\n";
    return text;
  }

  std::string error(const Spec& spec) {
    StandIns stand_ins(root(), aside());
    return test::error_of([&] { stand_ins.put_mounts(spec); });
  }

  sys::TempDir base_{sys::scratch_directory()};
  Spec spec_;
};

TEST_F(StandInsOfAStep, LeaveTheRootAsItWas) {
  fs::create_directory(root() / "dev");
  stamp(root());
  const auto before = listing();
  spec_.tmpfs = {{.target = "/tmp", .size = {}}, {.target = "/new/place", .size = {}}};
  spec_.files = {{.target = "/run/secrets/key", .content = "secret"}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_system();
  stand_ins.put_mounts(spec_);
  EXPECT_EQ(content(root() / "run/secrets/key"), "secret");
  EXPECT_TRUE(fs::exists(root() / "dev/null"));
  EXPECT_NE(content(root() / "etc/hosts"), "of the image");
  sys::write_file(root() / "tmp/left", "x");
  sys::write_file(root() / "dev/left", "x");
  stand_ins.put_back();
  fs::remove(root() / "run/secrets");  // as MountPoints does
  fs::remove(root() / "run");
  fs::remove(root() / "new");
  fs::remove(root() / "sys");  // which BuildKit leaves
  EXPECT_EQ(listing(), before);
  EXPECT_EQ(time_of(root() / "etc"), 1000);
  EXPECT_TRUE(fs::is_empty(aside()));
}

TEST_F(StandInsOfAStep, PutBackAFileThatWasChangedByItsOtherName) {
  fs::create_hard_link(root() / "etc/hosts", root() / "other");
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  std::ofstream(root() / "other") << "changed";
  stand_ins.put_back();
  EXPECT_EQ(content(root() / "etc/hosts"), "changed");
}

TEST_F(StandInsOfAStep, LeaveNoSecretWhereverTheStepHasMovedIt) {
  spec_.files = {{.target = "/etc/key", .content = "secret"}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  fs::rename(root() / "etc/key", root() / "kept");
  fs::rename(root() / "etc", root() / "moved");
  stand_ins.put_back();
  EXPECT_EQ(content(root() / "kept"), "");
  EXPECT_EQ(content(root() / "moved/hosts"), "of the image");
  EXPECT_EQ(content(root() / "moved/resolv.conf"), "of the image");
  EXPECT_FALSE(fs::exists(root() / "etc"));
}

TEST_F(StandInsOfAStep, PutBackWhatWasInADirectoryThatTheStepHasRemoved) {
  fs::create_directories(root() / "data/inner");
  sys::write_file(root() / "data/inner/file", "of the image");
  spec_.tmpfs = {{.target = "/data/inner", .size = {}}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  fs::remove_all(root() / "data");
  stand_ins.put_back();
  EXPECT_EQ(content(root() / "data/inner/file"), "of the image");
  EXPECT_FALSE(stand_ins.has_kept());
}

// A mount stands for all that nobody can remove.
TEST_F(StandInsOfAStep, PutBackWhatTheyCoverThoughTheyCannotBeRemoved) {
  ASSERT_TRUE(sys::enter_private_mounts());
  sys::write_file(root() / "tmp/file", "of the image");
  spec_.tmpfs = {{.target = "/tmp", .size = {}}};
  {
    StandIns stand_ins(root(), aside());
    stand_ins.put_mounts(spec_);
    fs::create_directory(root() / "tmp/busy");
    ASSERT_EQ(::mount("none", (root() / "tmp/busy").c_str(), "tmpfs", 0, nullptr), 0);
    stand_ins.put_back();
    EXPECT_EQ(content(root() / "tmp/file"), "of the image");
    EXPECT_FALSE(stand_ins.has_kept());
  }
  for (const auto& entry : fs::directory_iterator(aside()))
    EXPECT_EQ(::umount((entry.path() / "busy").c_str()), 0);
}

TEST_F(StandInsOfAStep, KeepWhatCannotBePutBackAndSayWhere) {
  ASSERT_TRUE(sys::enter_private_mounts());
  sys::write_file(root() / "tmp/file", "of the image");
  spec_.tmpfs = {{.target = "/tmp", .size = {}}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  ASSERT_EQ(::mount("none", (root() / "tmp").c_str(), "tmpfs", 0, nullptr), 0);
  const auto error = test::error_of([&] { stand_ins.put_back(); });
  EXPECT_EQ(::umount((root() / "tmp").c_str()), 0);
  EXPECT_TRUE(stand_ins.has_kept());
  const auto begin = "cannot put back '/tmp', which is kept as '" + aside().string() + "/";
  ASSERT_TRUE(error.starts_with(begin)) << error;
  const auto kept = aside() / error.substr(begin.size(), error.find('\'', begin.size()) - begin.size());
  EXPECT_EQ(content(kept / "file"), "of the image");
  EXPECT_EQ(content(root() / "etc/hosts"), "of the image");
}

TEST_F(StandInsOfAStep, GoWithTheirObject) {
  const auto before = listing();
  { StandIns(root(), aside()).put_mounts(spec_); }
  EXPECT_EQ(listing(), before);
}

TEST_F(StandInsOfAStep, CopyWhatIsBound) {
  fs::create_directory(base_.path() / "source");
  const auto source = base_.path() / "source";
  sys::write_file(source / "file", "content", 04755);
  fs::create_hard_link(source / "file", source / "same");
  fs::create_symlink("nowhere", source / "link");
  ::mkfifo((source / "fifo").c_str(), 0600);
  ASSERT_EQ(::lchown((source / "file").c_str(), 12, 34), 0);
  ASSERT_EQ(::chmod((source / "file").c_str(), 04711), 0);
  stamp(source / "file");
  spec_.binds = {{.source = source, .target = "/bound", .read_only = true},
                 {.source = source / "file", .target = "/etc/hosts"}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  const auto status = *sys::find_status(root() / "bound/file");
  EXPECT_EQ(status.st_mode & 07777, 04711U);
  EXPECT_EQ(status.st_uid, 12U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1000);
  EXPECT_EQ(status.st_nlink, 2U);
  EXPECT_EQ(fs::read_symlink(root() / "bound/link"), "nowhere");
  EXPECT_TRUE(fs::is_fifo(root() / "bound/fifo"));
  EXPECT_EQ(content(root() / "etc/hosts"), "content");
  std::ofstream(root() / "bound/file") << "changed";
  stand_ins.put_back();
  EXPECT_EQ(content(source / "file"), "content");
}

// As an overlay copies one name up when it is written to.
TEST_F(StandInsOfAStep, PartTheNamesOfAFileThatCanBeWritten) {
  const auto source = base_.path() / "source";
  fs::create_directory(source);
  sys::write_file(source / "one", "content");
  fs::create_hard_link(source / "one", source / "two");
  spec_.binds = {{.source = source, .target = "/bound"}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  std::ofstream(root() / "bound/one") << "changed";
  EXPECT_EQ(content(root() / "bound/two"), "content");
}

TEST_F(StandInsOfAStep, LeadToTheListenerOfASocket) {
  const auto address_of = [](const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  };
  const sys::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto listening = address_of(base_.path() / "socket");
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&listening), sizeof listening), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  spec_.binds = {{.source = base_.path() / "socket", .target = "/run/agent"}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  const sys::UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto mounted = address_of(root() / "run/agent");
  EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&mounted), sizeof mounted), 0);
  stand_ins.put_back();
  EXPECT_FALSE(fs::exists(root() / "run/agent"));
  EXPECT_TRUE(fs::exists(base_.path() / "socket"));
}

TEST_F(StandInsOfAStep, KeepWhatIsWrittenToACache) {
  sys::write_file(cache() / "old", "1");
  fs::permissions(cache(), fs::perms{0750});
  spec_.binds = {{.source = cache(), .target = "/cache", .lasting = true},
                 {.source = cache(), .target = "/again", .lasting = true}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  EXPECT_EQ(content(root() / "cache/old"), "1");
  EXPECT_EQ(fs::read_symlink(root() / "again"), "/cache");
  EXPECT_EQ(sys::find_status(root() / "cache")->st_mode & 07777, 0750U);
  fs::remove(root() / "cache/old");
  fs::create_directory(root() / "cache/new");
  fs::permissions(root() / "cache", fs::perms{0700});
  stand_ins.put_back();
  EXPECT_FALSE(fs::exists(root() / "cache"));
  EXPECT_FALSE(fs::exists(root() / "again"));
  EXPECT_FALSE(fs::exists(cache() / "old"));
  EXPECT_TRUE(fs::exists(cache() / "new"));
  EXPECT_EQ(sys::find_status(cache())->st_mode & 07777, 0700U);
}

TEST_F(StandInsOfAStep, CopyACacheOfAnotherFilesystemInAndBack) {
  const sys::TempDir other("/dev/shm");
  if (sys::find_status(other.path())->st_dev == sys::find_status(root())->st_dev)
    GTEST_SKIP() << "/dev/shm is no filesystem of its own";
  sys::write_file(other.path() / "old", "1");
  sys::write_file(other.path() / "gone", "1");
  spec_.binds = {{.source = other.path(), .target = "/cache", .lasting = true}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  sys::write_file(root() / "cache/old", "2");
  fs::remove(root() / "cache/gone");
  stand_ins.put_back();
  EXPECT_EQ(content(other.path() / "old"), "2");
  EXPECT_FALSE(fs::exists(other.path() / "gone"));
}

TEST_F(StandInsOfAStep, LeaveACacheAsItWasWhereItsDiskIsFull) {
  ASSERT_TRUE(sys::enter_private_mounts());
  const auto small = base_.path() / "small";
  fs::create_directory(small);
  ASSERT_EQ(::mount("none", small.c_str(), "tmpfs", 0, "size=64k"), 0);
  sys::write_file(small / "old", "1");
  spec_.binds = {{.source = small, .target = "/cache", .lasting = true}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  sys::write_file(root() / "cache/old", "2");
  sys::write_file(root() / "cache/large", std::string(200'000, 'x'));
  stand_ins.put_back();
  const auto old = content(small / "old");
  const auto count = std::distance(fs::directory_iterator(small), fs::directory_iterator());
  EXPECT_EQ(::umount(small.c_str()), 0);
  EXPECT_EQ(old, "1");
  EXPECT_EQ(count, 1);
}

TEST_F(StandInsOfAStep, AreRefusedInTheWordsOfMounts) {
  sys::write_file(root() / "file", "");
  fs::create_symlink("circle", root() / "circle");
  fs::create_symlink("/proc", root() / "to-proc");
  spec_.tmpfs = {{.target = "/file/x", .size = {}}};
  EXPECT_EQ(error(spec_),
            "cannot mount '/file/x' for the step: a directory needs a directory to be mounted on, "
            "and directories on the way");
  spec_.tmpfs = {{.target = "/circle", .size = {}}};
  EXPECT_EQ(error(spec_), "cannot mount '/circle' for the step: symlinks there go in circles");
  spec_.tmpfs = {{.target = "/to-proc/x", .size = {}}};
  EXPECT_EQ(error(spec_),
            "cannot mount '/to-proc/x' for the step: it cannot be mounted because it is inside /proc");
  spec_.tmpfs = {{.target = "/", .size = {}}};
  EXPECT_EQ(error(spec_), "cannot mount '/' for the step: it is the root directory");
}

TEST_F(StandInsOfAStep, LeadNoLinkOfTheRootOut) {
  fs::create_directory(base_.path() / "outside");
  fs::create_symlink(base_.path() / "outside", root() / "out");
  spec_.files = {{.target = "/out/key", .content = "secret"}};
  StandIns stand_ins(root(), aside());
  stand_ins.put_mounts(spec_);
  EXPECT_TRUE(fs::is_empty(base_.path() / "outside"));
}

}  // namespace
}  // namespace sandbox
