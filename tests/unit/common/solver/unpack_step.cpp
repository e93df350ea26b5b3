// Layers out of the cache as files again.
#include "common/hash/sha256.hpp"
#include "common/image/manifest.hpp"
#include "common/plan/cache_key.hpp"
#include "common/solver/node.hpp"
#include "common/store/store.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/tar_archive.hpp"
#include "tests/unit/common/solver/ops.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using test::Lines;
using test::Member;

class UnpackStep : public test::Ops {
protected:
  void SetUp() override {
    test::Ops::SetUp();
    if (!IsSkipped()) below_ = filesystem({{"old", "old"}, {"d/kept", ""}});
  }

  // A step that the store has, with its layer.
  store::Step kept(const std::vector<Member>& members, bool removes = false) {
    const auto layer = test::archive(members);
    store::Step step{.diff_id = hash::sha256(layer),
                     .blob = {hash::sha256(layer), layer.size()},
                     .media_type = std::string(image::media_type::oci_layer),
                     .removes = removes,
                     .parts = plan::directory_key({.base = 0, .path = "/d", .user = ""}, hash::sha256("base"),
                                                  std::nullopt)};
    auto blob = store_.blobs().create();
    sys::write_all(blob.file().fd, layer, "layer");
    blob.commit(step.blob);
    store_.steps().put(plan::key_of(step.parts), step);
    return step;
  }

  Change unpacked(const store::Step& step) { return unpack(step, below_.stack, trees(), cache_, cancel()); }

  bool is_kept(const store::Step& step) { return store_.steps().peek(plan::key_of(step.parts)).has_value(); }

  store::Store store_{outside() / "store"};
  StepCache cache_{store_, "Dockerfile"};
  Filesystem below_;
};

TEST_F(UnpackStep, LayerThatOnlyAddsIsATreeForLaterBuildsToo) {
  const auto step = kept({{.path = "d", .kind = '5', .mode = 0755}, {.path = "d/new", .content = "new"}});
  const auto change = unpacked(step);
  EXPECT_EQ(lines(change), (Lines{"d 755 0:0 d", "f 644 0:0 d/new: new"}));
  EXPECT_TRUE(fs::is_empty(trees().directory()));
  store::Store later(outside() / "store");
  StepCache cache(later, "Dockerfile");
  struct stat first {};
  struct stat second {};
  EXPECT_EQ(::stat((change.tree / "d/new").c_str(), &first), 0);
  EXPECT_EQ(::stat((unpack(step, below_.stack, trees(), cache, cancel()).tree / "d/new").c_str(), &second),
            0);
  EXPECT_EQ(first.st_ino, second.st_ino);
}

TEST_F(UnpackStep, LayerThatRemovesIsUnpackedOverWhatItStandsOn) {
  const auto change = unpacked(kept({{.path = ".wh.old"}, {.path = "new", .content = "new"}}, true));
  EXPECT_EQ(lines(change), (Lines{"f 644 0:0 new: new", "gone old"}));
  EXPECT_EQ(change.tree.parent_path(), trees().directory());
}

// The root of a tree of the store is ours, and would hide that of the layers below.
TEST_F(UnpackStep, RootOfAnotherOwnerStaysSo) {
  EXPECT_EQ(::chown(below_.stack.trees.front().c_str(), 5, 6), 0);
  const auto change = unpacked(kept({{.path = "new", .content = "new"}}));
  EXPECT_EQ(change.tree.parent_path(), trees().directory());
  EXPECT_EQ(status(change, "").st_uid, 5U);
  EXPECT_EQ(status(change, "").st_gid, 6U);
}

TEST_F(UnpackStep, LayerThatIsNotWhatItShouldBeIsRefused) {
  auto step = kept({{.path = "new", .content = "new"}});
  step.diff_id = hash::sha256("another layer");
  EXPECT_NE(test::error_of([&] { unpacked(step); }), "no error");
  EXPECT_FALSE(is_kept(step));
  EXPECT_TRUE(cache_.has_lost());
  EXPECT_TRUE(fs::is_empty(trees().directory()));
}

TEST_F(UnpackStep, LayerIsNotRefusedBecauseTheBuildEnds) {
  const auto step = kept({{.path = "new", .content = "new"}}, true);
  canceller_.cancel();
  EXPECT_EQ(test::error_of([&] { unpacked(step); }), "cancelled");
  EXPECT_TRUE(is_kept(step));
  EXPECT_FALSE(cache_.has_lost());
}

}  // namespace
}  // namespace solver
