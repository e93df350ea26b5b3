// Publishing under kills: at every system call of it the next build finds all old or all new.
#include "tools/oci-build/publication.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/killed_at_call.hpp"
#include "tools/oci-build/outputs.hpp"

namespace {

namespace fs = std::filesystem;
using oci_build::Journal;
using oci_build::Outputs;

TEST(Journal, IsReadAsItWasWritten) {
  const Journal journal{
      .names = {{"image.tar", std::nullopt, S_IFREG | 0644}, {"rootfs", S_IFDIR | 0555, {}}},
      .leader = fs::path("../a\nb/.oci-build-x"),
      .followers = {"../\xff", "c"}};
  const auto text = to_text(journal);
  const auto read = oci_build::parse_journal(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), text);
  EXPECT_EQ(read->names[1].old, std::optional<mode_t>(S_IFDIR | 0555));
  EXPECT_EQ(read->leader, journal.leader);
}

TEST(Journal, ThatWasNotWrittenToItsEndIsNone) {
  const auto text = to_text(Journal{.names = {{"image.tar", 1, 2}}, .leader = "l", .followers = {"f"}});
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(oci_build::parse_journal(text.substr(0, size))) << size;
}

TEST(Journal, NamesNothingButOutputs) {
  EXPECT_FALSE(oci_build::parse_journal(to_text(Journal{{{"../../etc/passwd", 1, 2}}, {}, {}})));
}

// A directory by the names of what is in it; files by their content, directories end in "/".
using Tree = std::map<std::string, std::string>;

// What output directories hold before and after a build.
struct Change {
  std::vector<Tree> old;
  std::vector<Tree> made;
};

const Tree old_image = {{"image.tar", "old"},     {"digest", "old"},       {"manifest-digest", "old"},
                        {"rootfs/", "0555"},      {"rootfs/etc/", "0755"}, {"rootfs/etc/hosts", "old"},
                        {"metadata.json", "old"}, {"tag", "not an output"}};
const Tree new_image = {{"image.tar", "new"},    {"digest", "new"},       {"manifest-digest", "new"},
                        {"rootfs/", "0555"},     {"rootfs/etc/", "0700"}, {"rootfs/etc/passwd", "new"},
                        {"metadata.json", "new"}};
const Tree old_layout = {{"image/", "0755"}, {"image/oci-layout", "old"}, {"digest", "old"}};
const Tree new_tar = {{"image.tar", "new"}, {"digest", "new"}, {"manifest-digest", "new"}};

void write_tree(const fs::path& root, const Tree& tree) {
  for (const auto& [name, content] : tree) {
    if (name.ends_with('/')) {
      fs::create_directories(root / name);
    } else {
      sys::write_file(root / name, content);
    }
  }
  for (const auto& [name, mode] : tree) {
    if (name.ends_with('/'))
      ::chmod((root / name).c_str(), static_cast<mode_t>(std::stoul(mode, nullptr, 8)));
  }
}

Tree read_tree(const fs::path& root) {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    auto name = entry.path().lexically_relative(root).string();
    if (entry.is_directory()) {
      struct stat status {};
      ::stat(entry.path().c_str(), &status);
      char mode[8];
      std::snprintf(mode, sizeof mode, "%04o", status.st_mode & 07777U);
      tree[name + "/"] = mode;
    } else {
      tree[name] = sys::read_file(entry.path());
    }
  }
  return tree;
}

// A change in directories below one, killed again and again.
class Kills {
public:
  Kills(fs::path top, Change change) : top_(std::move(top)), change_(std::move(change)) {}

  // Sets up the directories as an earlier build left them.
  void set_up() {
    ++round_;
    for (std::size_t i = 0; i < change_.old.size(); ++i) {
      fs::create_directories(directory(i));
      write_tree(directory(i), change_.old[i]);
    }
  }

  void skip_set_up() { ++round_; }

  // The end of a build, killed at one of its calls.
  bool publish(int killed_at) {
    return test::killed_at_call(killed_at, [&] {
      Outputs outputs;
      for (std::size_t i = 0; i < change_.made.size(); ++i) {
        auto made = change_.made[i];
        made.erase("tag");
        write_tree(outputs.stage(directory(i)), made);
      }
      test::count_calls_from_here();
      outputs.publish();
    });
  }

  // A build that goes no further than its start.
  bool next_build(int killed_at) {
    return test::killed_at_call(killed_at, [&] {
      Outputs outputs;
      test::count_calls_from_here();
      for (std::size_t i = 0; i < change_.old.size(); ++i)
        outputs.stage(directory(i));
    });
  }

  // Whether the build's change is there, wholly; otherwise nothing of it is.
  bool is_made() const {
    std::vector<Tree> found;
    for (std::size_t i = 0; i < change_.old.size(); ++i)
      found.push_back(read_tree(directory(i)));
    const bool made = found == change_.made;
    EXPECT_TRUE(made || found == change_.old) << testing::PrintToString(found);
    return made;
  }

  // Counts the calls after which the change was there, and those before it.
  void kill_at_every_call() {
    int taken_back = 0;
    int finished = 0;
    for (int call = 1; !testing::Test::HasFailure(); ++call) {
      SCOPED_TRACE("killed at call " + std::to_string(call));
      set_up();
      if (!publish(call)) break;
      EXPECT_FALSE(next_build(1 << 30));
      is_made() ? ++finished : ++taken_back;
      EXPECT_TRUE(finished == 0 || is_made()) << "once decided it stays so";
    }
    EXPECT_TRUE(is_made());
    EXPECT_GT(taken_back, 0);
    EXPECT_GT(finished, 0);
  }

private:
  fs::path directory(std::size_t i) const { return top_ / std::to_string(round_) / std::to_string(i); }

  fs::path top_;
  Change change_;
  int round_ = 0;
};

class PublicationUnderKills : public testing::Test {
protected:
  // In memory: thousands of directories are slow on a disk.
  sys::TempDir top{fs::exists("/dev/shm") ? "/dev/shm" : "/tmp"};
};

Change in_place_of_another() {
  auto made = new_image;
  made["tag"] = old_image.at("tag");
  return {{old_image}, {made}};
}

TEST_F(PublicationUnderKills, IsAllOldOrAllNewInPlaceOfAnother) {
  Kills(top.path(), in_place_of_another()).kill_at_every_call();
}

TEST_F(PublicationUnderKills, IsAllOrNothingWhereNothingWas) {
  Kills(top.path(), {{{}}, {new_image}}).kill_at_every_call();
}

TEST_F(PublicationUnderKills, IsAllOldOrAllNewInSeveralDirectories) {
  Kills(top.path(), {{old_layout, old_image}, {new_tar, in_place_of_another().made[0]}}).kill_at_every_call();
}

TEST_F(PublicationUnderKills, SurvivesKillsOfTheRecoveryToo) {
  Kills kills(top.path(), {{old_layout, old_image}, {new_tar, in_place_of_another().made[0]}});
  for (int call = 1; !HasFailure(); call += 9) {
    SCOPED_TRACE("killed at call " + std::to_string(call));
    kills.set_up();
    if (!kills.publish(call)) break;
    // Each kill leaves the next one less to do.
    for (int next = 1; kills.next_build(next); next += 2) {}
    kills.is_made();
  }
}

TEST_F(PublicationUnderKills, KeepsTheModeOfDirectoriesThatItsOwnerMayNotWrite) {
  ::chmod(top.path().c_str(), 0777);
  const auto code = test::in_child([&] {
    if (::geteuid() == 0 && (::setegid(65534) != 0 || ::seteuid(65534) != 0)) return 1;
    Kills(top.path(), in_place_of_another()).kill_at_every_call();
    return HasFailure() ? 2 : 0;
  });
  EXPECT_EQ(code, 0);
}

// There a directory of the lower layer can be removed, but not renamed.
TEST_F(PublicationUnderKills, IsAllOldOrAllNewOnAnOverlay) {
  const auto code = test::in_child([&] {
    if (!sys::enter_private_mounts()) return 77;
    const auto change = in_place_of_another();
    for (int call = 1;; ++call) {
      const auto at = top.path() / std::to_string(call);
      for (const auto* name : {"lower/1/0", "upper", "work", "merged"})
        fs::create_directories(at / name);
      write_tree(at / "lower/1/0", change.old[0]);
      const auto options = "lowerdir=" + (at / "lower").string() + ",upperdir=" + (at / "upper").string() +
                           ",workdir=" + (at / "work").string();
      if (::mount("overlay", (at / "merged").c_str(), "overlay", 0, options.c_str()) != 0) return 77;
      Kills kills(at / "merged", change);
      kills.skip_set_up();
      const bool killed = kills.publish(call);
      EXPECT_FALSE(kills.next_build(1 << 30));
      const bool made = kills.is_made();
      sys::unmount_below(at);
      if (HasFailure()) return 2;
      if (!killed) return made ? 0 : 3;
    }
  });
  if (code == 77) GTEST_SKIP() << "no overlay can be mounted here";
  EXPECT_EQ(code, 0);
}

TEST_F(PublicationUnderKills, LeadsNowhereElse) {
  const auto victim = top.path() / "victim";
  fs::create_directories(victim / "staging");
  sys::write_file(victim / "staging/digest", "theirs");
  const auto staging = top.path() / "image/.oci-build-abcdef";
  fs::create_directories(staging / "replaced");
  sys::write_file(staging / "journal",
                  oci_build::to_text({{{"digest", S_IFREG, S_IFREG}}, {}, {"../victim/staging"}}));
  Outputs().stage(top.path() / "image");
  EXPECT_EQ(read_tree(victim), (Tree{{"staging/", "0755"}, {"staging/digest", "theirs"}}));
}

TEST_F(PublicationUnderKills, KeepsWhatWasPutAsideWhereItsPlaceIsTaken) {
  const auto staging = top.path() / "image/.oci-build-abcdef";
  fs::create_directories(staging / "replaced/rootfs");
  fs::create_directories(staging / "rootfs");
  fs::create_directories(top.path() / "image/rootfs/mine");
  sys::write_file(staging / "journal",
                  oci_build::to_text({{{"rootfs", S_IFDIR | 0755, S_IFDIR | 0755}}, {}, {}}));
  EXPECT_NE(test::error_of([&] { Outputs().stage(top.path() / "image"); }).find("move that away"),
            std::string::npos);
  EXPECT_TRUE(fs::exists(staging / "replaced/rootfs"));
  EXPECT_TRUE(fs::exists(top.path() / "image/rootfs/mine"));
}

TEST_F(PublicationUnderKills, IsRecoveredByABuildThatNeverKnewItsOutputs) {
  Kills kills(top.path(), {{old_layout, old_image}, {new_tar, in_place_of_another().made[0]}});
  kills.set_up();
  ASSERT_TRUE(kills.publish(40));
  oci_build::recover_all(top.path() / "1");
  kills.is_made();
}

}  // namespace
