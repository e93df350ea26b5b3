// Images that are given on disk, as stages start from them.
#include "common/solver/base_images.hpp"

#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"
#include "tests/unit/common/solver/ops.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using test::Lines;

class GivenImage : public test::Ops {
protected:
  static constexpr const char* name = "docker.io/library/base:latest";

  // The image of these layers as the context "base".
  void give(const std::vector<std::string>& layers, const std::string& platform = "linux/amd64") {
    test::Files files;
    const auto image = test::add_image(files, platform, layers);
    const auto layout = directory({});
    test::write_files(layout, test::finish_layout(files, {image}));
    digest_ = image.digest.str();
    request_.preloads = {{.role = document::Preload::Role::context,
                          .name = "base",
                          .path = layout,
                          .layout = document::Preload::Layout{layout, image.digest}}};
  }

  BaseImages images() { return {request_, {}, store_, progress(), cancel()}; }

  // What its tree holds.
  Lines files_of(const BaseImages::Tree& tree) { return lines({.tree = tree.root}); }

  // Trees of the store that are whole.
  std::size_t unpacked() const {
    const fs::path trees = outside() / "store/trees";
    return fs::exists(trees) ? std::distance(fs::directory_iterator(trees), fs::directory_iterator()) : 0;
  }

  store::Store store_{outside() / "store"};
  document::Request request_;
  std::string digest_;
  const image::Platform platform_ = image::Platform::parse("linux/amd64");
};

TEST_F(GivenImage, TreeIsThatOfAllItsLayers) {
  give({test::archive({{.path = "kept", .content = "1"}, {.path = "gone", .content = "1"}}),
        test::archive({{.path = ".wh.gone"}, {.path = "new", .content = "2"}})});
  auto images = this->images();
  EXPECT_TRUE(images.is_given("base"));
  const auto tree = images.tree(name, platform_, vertex());
  EXPECT_EQ(files_of(tree), (Lines{"f 644 0:0 kept: 1", "f 644 0:0 new: 2"}));
  EXPECT_FALSE(tree.was_there);
}

TEST_F(GivenImage, TreeIsThereForLaterBuilds) {
  give({test::archive({{.path = "f", .content = "1"}})});
  const auto first = images().tree(name, platform_, vertex());
  const auto second = images().tree(name, platform_, vertex());
  EXPECT_TRUE(second.was_there);
  EXPECT_EQ(files_of(second), files_of(first));
  EXPECT_EQ(unpacked(), 1U);
}

TEST_F(GivenImage, NothingIsUnpackedForWhoAsksForMetadataOrBlobs) {
  const auto layer = test::archive({{.path = "f", .content = "1"}});
  give({layer});
  auto images = this->images();
  EXPECT_EQ(images.image(name, platform_).config.diff_ids, std::vector{hash::sha256(layer)});
  images.fetch(name, platform_);
  const auto blob = images.open_blob(name, platform_, images.image(name, platform_).layers.front());
  EXPECT_EQ(sys::read_file("/proc/self/fd/" + std::to_string(blob.get())).substr(0, 10), layer.substr(0, 10));
  EXPECT_EQ(unpacked(), 0U);
}

TEST_F(GivenImage, NameHasTheDigestOfWhatIsGiven) {
  give({});
  EXPECT_EQ(images().pinned(name, platform_), "docker.io/library/base@" + digest_);
}

TEST_F(GivenImage, DamagedLayerFailsAndLeavesNoTree) {
  const auto layer = test::archive({{.path = "f", .content = "content"}});
  give({layer});
  const auto blob = request_.preloads.front().layout->directory / "blobs/sha256" / hash::sha256(layer).hex();
  auto changed = layer;
  changed[512] = 'C';
  sys::write_file(blob, changed);
  EXPECT_NE(test::error_of([&] { images().tree(name, platform_, vertex()); }), "no error");
  EXPECT_EQ(unpacked(), 0U);
}

TEST_F(GivenImage, TreeIsNotMadeOnceTheBuildEnds) {
  give({test::archive({{.path = "f", .content = "1"}})});
  auto images = this->images();
  images.look_up(name, platform_);
  canceller_.cancel();
  EXPECT_TRUE(test::error_of([&] { images.tree(name, platform_, vertex()); }).ends_with(": cancelled"));
  EXPECT_EQ(unpacked(), 0U);
}

}  // namespace
}  // namespace solver
