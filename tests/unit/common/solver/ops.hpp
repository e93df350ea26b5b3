// What the tests of ops share: filesystems below an op, as an overlay on a disk of the test's own, and what
// the op has made of them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/engine/progress.hpp"
#include "common/layer/change_set.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/solver/draft.hpp"
#include "common/solver/trees.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"

namespace test {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class Ops : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "overlays need root";
    ::umask(022);
    ASSERT_TRUE(common());
    fs::create_directory(outside() / "trees");
    trees_ = std::make_unique<solver::Trees>(snapshotter(), outside() / "trees");
  }

  const fs::path& outside() const { return directory_.path(); }
  solver::Trees& trees() { return *trees_; }
  snapshot::Snapshotter& snapshotter() { return *common()->overlay; }
  sys::Cancellation cancel() const { return canceller_.cancellation(); }

  // A directory with these files; a name that ends in a slash is an empty directory.
  fs::path directory(const std::map<std::string, std::string>& files) {
    auto root = outside() / ("given-" + std::to_string(given_++));
    fs::create_directory(root);
    for (const auto& [name, content] : files) {
      fs::create_directories((root / name).parent_path());
      if (!name.ends_with('/')) sys::write_file(root / name, content);
    }
    return root;
  }

  // The same as what an op stands on.
  solver::Filesystem filesystem(const std::map<std::string, std::string>& files) {
    return {.stack = {.trees = {directory(files)}}};
  }

  // The same as a build context.
  solver::Filesystem context(const std::map<std::string, std::string>& files) {
    const std::shared_ptr<solver::SourceTree> tree = solver::context_source(
        std::make_shared<context::Tree>(directory(files), context::Ignore::from_patterns({})));
    return {.stack = {}, .local = solver::LocalFiles{.name = "context", .tree = tree, .sent = tree}};
  }

  // What an op has made on top of that.
  static solver::Filesystem on(const solver::Filesystem& below, const solver::Change& change) {
    auto above = below;
    above.stack.trees.push_back(change.tree);
    return above;
  }

  // What a change holds, but for its root: "d 755 0:0 a", "f 644 0:0 a/b: content", "l a/c -> b", "gone a/d".
  static Lines lines(const solver::Change& change) {
    Lines found;
    if (change.draft) {
      add_lines(*change.draft, "", found);
      return found;
    }
    const sys::UniqueFd root(::open(change.tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    add_lines(*layer::directory_changes(root.get()), "", found);
    return found;
  }

  static struct stat status(const solver::Change& change, const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::lstat((change.tree / path).c_str(), &status), 0) << path;
    return status;
  }

  // What was printed and noted so far.
  const std::string& shown() const { return shown_; }
  engine::Progress& progress() { return progress_; }
  engine::Progress::Vertex& vertex() {
    if (!vertex_) vertex_.emplace(progress_, "step").start();
    return *vertex_;
  }

  sys::Canceller canceller_;

private:
  // For all tests of the program: to leave a namespace, and to try whether overlays work, takes as long as a
  // test.
  struct Common {
    sys::TempDir directory{sys::scratch_directory()};
    std::unique_ptr<snapshot::Snapshotter> overlay = snapshot::make_overlay(directory.path());
  };
  static const std::optional<Common>& common() {
    static const auto made =
        sys::enter_private_mounts() ? std::optional<Common>(std::in_place) : std::nullopt;
    return made;
  }

  static void add_lines(const layer::ChangeSet& changes, const std::string& directory, Lines& lines) {
    for (const auto& name : changes.list(directory)) {
      const auto path = directory.empty() ? name : directory + "/" + name;
      const auto found = *changes.status(path);
      if (S_ISCHR(found.st_mode) && found.st_rdev == ::makedev(0, 0)) {
        lines.push_back("gone " + path);
        continue;
      }
      if (S_ISLNK(found.st_mode)) {
        lines.push_back("l " + path + " -> " + changes.read_link(path));
        continue;
      }
      char facts[64];
      std::snprintf(facts, sizeof facts, "%c %o %u:%u ",
                    S_ISDIR(found.st_mode)   ? 'd'
                    : S_ISREG(found.st_mode) ? 'f'
                                             : '?',
                    found.st_mode & 07777, found.st_uid, found.st_gid);
      const auto content = [&] {
        return ": " + sys::read_file("/proc/self/fd/" + std::to_string(changes.open(path).get()));
      };
      lines.push_back(facts + path + (S_ISREG(found.st_mode) ? content() : ""));
      if (S_ISDIR(found.st_mode)) add_lines(changes, path, lines);
    }
  }

  sys::TempDir directory_{sys::scratch_directory()};
  int given_ = 0;
  std::unique_ptr<solver::Trees> trees_;
  std::string shown_;
  engine::Progress progress_{{.write = [this](std::string_view text) { shown_ += text; }}};
  std::optional<engine::Progress::Vertex> vertex_;
};

}  // namespace test
