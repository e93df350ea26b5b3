// A draft must give the layer that a real copy gives.
#include "common/solver/draft.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/layer/diff.hpp"
#include "common/layer/pack.hpp"
#include "common/solver/copier.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;

sys::UniqueFd open_directory(const fs::path& path) {
  return sys::UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// A filesystem below that is a plain directory.
class Below : public snapshot::Workspace {
public:
  explicit Below(fs::path root) : root_(std::move(root)) {}
  const fs::path& root() const override { return root_; }
  std::uint64_t written(const sys::Cancellation&) const override { return 0; }
  void freeze() override {}
  void commit(const fs::path&) override {}

private:
  fs::path root_;
};

class DraftTest : public testing::Test {
protected:
  DraftTest() {
    fs::create_directories(source_ / "d/e");
    sys::write_file(source_ / "d/text", "some content");
    sys::write_file(source_ / "d/e/empty", "");
    fs::create_hard_link(source_ / "d/text", source_ / "d/twin");
    fs::create_symlink("../elsewhere", source_ / "d/e/link");
    ::chmod((source_ / "d/e/empty").c_str(), 04755);
    ::chmod((source_ / "d/e").c_str(), 0700);
  }

  void copy_to(CopyTarget& target, const std::string& from, const std::string& to) const {
    CopyOptions options;
    options.owner = sandbox::Owner{.uid = ::getuid(), .gid = ::getgid()};
    Copier(root_source(source_), target, options).copy(from, from, to);
  }

  std::string diff_id(const layer::ChangeSet& changes) const {
    const auto file = directory_.path() / "blob";
    const sys::UniqueFd blob(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    layer::PackOptions options;
    options.newest_mtime = 1;  // directories that a copy makes on its way are as old as the copy
    return layer::pack(changes, nullptr, {blob.get(), "blob"}, options).diff_id.str();
  }

  const sys::TempDir directory_{fs::temp_directory_path()};
  const fs::path source_ = directory_.path() / "source";
};

// Not even root makes one on an overlay.
TEST_F(DraftTest, TakesADeviceThatWouldBeAWhiteoutOnlyOverNothing) {
  const auto make = [](Draft draft) { return draft.make_node(sys::RootedPath().child("w"), S_IFCHR, 0); };
  EXPECT_FALSE(make(Draft(nullptr)));
  EXPECT_EQ(make(Draft(std::make_unique<Below>(source_))), std::errc::operation_not_permitted);
}

TEST_F(DraftTest, GivesTheLayerOfARealCopy) {
  const auto tree = directory_.path() / "tree";
  fs::create_directory(tree);
  auto root = sys::RootedDir::open(tree, sys::RootedDir::Times::natural);
  const auto real = directory_target(root);
  Draft draft(nullptr);
  for (CopyTarget* target : std::vector<CopyTarget*>{real.get(), &draft}) {
    copy_to(*target, "d", "/new/parents/");
    copy_to(*target, "d/text", "/file");
    copy_to(*target, "d/e", "/new");  // into what the first copy made
  }
  const auto fd = open_directory(tree);
  EXPECT_EQ(diff_id(draft), diff_id(*layer::directory_changes(fd.get())));
}

TEST_F(DraftTest, ChangesOnlyWhatDiffersFromBelow) {
  const auto below = directory_.path() / "below";
  fs::create_directories(below / "to/e");
  fs::create_directory(below / "other");
  fs::create_symlink("to", below / "alias");
  sys::write_file(below / "to/text", "old");
  fs::copy_file(source_ / "d/e/empty", below / "to/e/empty");
  fs::last_write_time(below / "to/e/empty", fs::last_write_time(source_ / "d/e/empty"));
  ::chmod((below / "to/e/empty").c_str(), 04755);
  ::chmod((below / "to/e").c_str(), 0700);

  Draft draft(std::make_unique<Below>(below));
  copy_to(draft, "d", "/alias/");
  std::vector<std::string> changes;
  const auto fd = open_directory(below);
  const auto lower = layer::directory_changes(fd.get());
  layer::diff(draft, lower.get(), [&](const layer::Change& change) {
    changes.push_back((change.kind == layer::Change::Kind::removed ? "-" : "") + change.path);
  });
  EXPECT_EQ(changes, (std::vector<std::string>{"to/e/link", "to/text", "to/twin"}));
}

TEST_F(DraftTest, ShowsWhatWasRemovedAsGone) {
  const auto below = directory_.path() / "below";
  fs::create_directory(below);
  sys::write_file(below / "file", "old");
  Draft draft(std::make_unique<Below>(below));
  const auto path = sys::RootedPath().child("file");
  draft.remove(path);
  EXPECT_FALSE(draft.status(path));
  std::vector<layer::Change> changes;
  const auto fd = open_directory(below);
  const auto lower = layer::directory_changes(fd.get());
  layer::diff(draft, lower.get(), [&](const layer::Change& change) { changes.push_back(change); });
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].path, "file");
  EXPECT_EQ(changes[0].kind, layer::Change::Kind::removed);
  draft.make_directory(path);
  EXPECT_TRUE(S_ISDIR(draft.status(path)->st_mode));
}

TEST_F(DraftTest, TakesNoNameTwice) {
  Draft draft(nullptr);
  const auto path = sys::RootedPath().child("name");
  draft.make_directory(path);
  EXPECT_THROW(draft.make_symlink(path, "target"), util::Error);
}

}  // namespace
}  // namespace solver
