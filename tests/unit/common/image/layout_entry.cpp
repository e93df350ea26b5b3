// Entries of layouts that oci-preload made.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/image/archive.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/image_files.hpp"

namespace {

// oci-preload refers to large blobs on another filesystem by symlinks.
TEST(LayoutEntry, IsReadThroughSymlinksToItsBlobs) {
  test::Files files;
  const auto manifest = test::add_image(files, image::Platform::host().str(), {"layer one"});
  const sys::TempDir directory("/tmp");
  test::write_files(directory.path(), test::finish_layout(files, {manifest}));
  const auto digest = hash::sha256(std::string("layer one"));
  const auto blob = directory.path() / "blobs/sha256" / digest.hex();
  std::filesystem::rename(blob, directory.path() / "elsewhere");
  std::filesystem::create_symlink(directory.path() / "elsewhere", blob);
  const auto archive = image::open_layout_entry(directory.path(), manifest.digest);
  const auto image = archive->image(std::nullopt);
  EXPECT_EQ(stream::read_all(*archive->open_blob(image.layers[0]), "layer", 100), "layer one");
}

}  // namespace
