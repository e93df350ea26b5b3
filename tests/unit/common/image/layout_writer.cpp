// Layout directories made from images of any form.
#include "common/image/layout_writer.hpp"

#include <gtest/gtest.h>

#include "common/image/place_blob.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"

namespace {

namespace fs = std::filesystem;
using image::LayoutWriter;
using image::Platform;
using test::error_of;
using test::Files;

const std::string host = Platform::host().str();

std::unique_ptr<image::Archive> opened(const Files& files) {
  return image::open(test::file_with(test::tar_of(files)), "it");
}

class Layouts : public testing::Test {
protected:
  fs::path made() const { return directory_.path() / "made"; }
  fs::path blob(const hash::Digest& digest) const { return made() / "blobs/sha256" / digest.hex(); }

  hash::Digest write(const image::Archive& archive) {
    LayoutWriter writer(made());
    const auto digest = writer.add(archive, "name").digest;
    writer.commit();
    copied_ = writer.copied();
    return digest;
  }

  std::size_t count_blobs() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(made() / "blobs/sha256"), {}));
  }

  sys::TempDir directory_{"/tmp"};
  std::uint64_t copied_ = 0;
};

TEST_F(Layouts, HoldTheSameImageAsTheTar) {
  Files files;
  const auto manifest = test::add_image(files, host, {"layer one", std::string(1'000'000, 'x')});
  EXPECT_EQ(write(*opened(test::finish_layout(files, {manifest}))), manifest.digest);
  const auto archive = image::open(made());
  EXPECT_EQ(archive->index_digest(), manifest.digest);
  const auto image = archive->image(std::nullopt);
  for (const auto& layer : image.layers)
    EXPECT_EQ(stream::digest_of(*archive->open_blob(layer)), layer.digest);
  EXPECT_EQ(archive->roots()[0].annotations.at("org.opencontainers.image.ref.name"), "name");
  EXPECT_EQ(sys::read_file(made() / "oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
}

TEST_F(Layouts, KeepAnIndexWithAllItsPlatformsAndAttestations) {
  Files files;
  auto attestation = test::add_image(files, host, {"provenance"});
  attestation.platform = Platform{"unknown", "unknown", ""};
  const auto index =
      test::add_index(files, {test::add_image_of_platform(files, "linux/amd64", {"x"}),
                              test::add_image_of_platform(files, "linux/arm64", {"y"}), attestation});
  EXPECT_EQ(write(*opened(test::finish_layout(files, {index}))), index.digest);
  EXPECT_EQ(count_blobs(), 10U);
}

TEST_F(Layouts, PutImagesThatStandSideBySideIntoOneIndex) {
  Files files;
  const auto digest = write(*opened(test::finish_layout(
      files, {test::add_image(files, "linux/amd64", {"x"}), test::add_image(files, "linux/arm64", {"y"})})));
  const auto archive = image::open(made());
  EXPECT_EQ(archive->index_digest(), digest);
  EXPECT_EQ(archive->platforms(), (std::vector{Platform::parse("amd64"), Platform::parse("arm64")}));
}

TEST_F(Layouts, RefuseTwoImagesForOnePlatform) {
  Files files;
  const auto archive = opened(
      test::finish_layout(files, {test::add_image(files, host, {"x"}), test::add_image(files, host, {"y"})}));
  EXPECT_EQ(error_of([&] { write(*archive); }), "it holds several images for " + host + "; save one alone");
}

TEST_F(Layouts, GiveADockerSaveTarTheManifestItLacks) {
  const auto config = test::config_json(host, {"layer one", "layer two"});
  const auto archive = opened(
      {{"c.json", config},
       {"a/layer.tar", "layer one"},
       {"b/layer.tar", "layer two"},
       {"manifest.json", R"([{"Config":"c.json","RepoTags":[],"Layers":["a/layer.tar","b/layer.tar"]}])"}});
  const auto digest = write(*archive);
  const auto image = image::open(made())->image(std::nullopt);
  EXPECT_EQ(image.manifest->digest, digest);
  EXPECT_EQ(image.config_json, config);
  ASSERT_EQ(image.layers.size(), 2U);
  EXPECT_EQ(image.layers[0].digest, hash::sha256("layer one"));
  EXPECT_EQ(image.layers[1].media_type, image::media_type::oci_layer);
}

TEST_F(Layouts, GiveADockerSaveTarOfTwoPlatformsAnIndex) {
  const auto archive =
      opened({{"c", test::config_json("linux/amd64", {"x"})},
              {"d", test::config_json("linux/arm64", {"y"})},
              {"x", "x"},
              {"y", "y"},
              {"manifest.json", R"([{"Config":"c","Layers":["x"]},{"Config":"d","Layers":["y"]}])"}});
  write(*archive);
  const auto made_archive = image::open(made());
  EXPECT_EQ(made_archive->roots()[0].media_type, image::media_type::oci_index);
  EXPECT_EQ(made_archive->image(Platform::parse("arm64")).layers[0].digest, hash::sha256("y"));
}

TEST_F(Layouts, LinkTheFilesOfADirectory) {
  Files files;
  const auto manifest = test::add_image(files, host, {"layer one"});
  test::write_files(directory_.path() / "given", test::finish_layout(files, {manifest}));
  write(*image::open(directory_.path() / "given"));
  EXPECT_EQ(copied_, 0U);
  EXPECT_TRUE(fs::equivalent(blob(manifest.digest),
                             directory_.path() / "given/blobs/sha256" / manifest.digest.hex()));
}

TEST_F(Layouts, ShareBlobsBetweenImages) {
  Files one, two;
  test::finish_layout(one, {test::add_image(one, "linux/amd64", {"shared"})});
  test::finish_layout(two, {test::add_image(two, "linux/arm64", {"shared"})});
  LayoutWriter writer(made());
  writer.add(*opened(one), "one");
  const auto before = writer.copied();
  writer.add(*opened(two), "two");
  writer.commit();
  EXPECT_EQ(count_blobs(), 5U);
  EXPECT_LT(writer.copied() - before, before);
  EXPECT_EQ(image::open(made())->roots().size(), 2U);
}

TEST_F(Layouts, NameALayerThatIsDamagedAndLeaveNothing) {
  Files files;
  const auto manifest = test::add_image(files, host, {"layer one"});
  const auto layer = hash::sha256("layer one");
  test::finish_layout(files, {manifest})["blobs/sha256/" + layer.hex()] = "LAYER ONE";
  EXPECT_EQ(error_of([&] { write(*opened(files)); }),
            "it: blob " + layer.str() + " is damaged: its digest is " + hash::sha256("LAYER ONE").str() +
                ", not " + layer.str());
  EXPECT_FALSE(fs::exists(made()));
  test::write_files(directory_.path() / "given", files);
  EXPECT_NE(error_of([&] { write(*image::open(directory_.path() / "given")); }).find(" is damaged: "),
            std::string::npos);
  EXPECT_FALSE(fs::exists(made()));
}

TEST_F(Layouts, NameALayerThatIsMissing) {
  Files files;
  const auto manifest = test::add_image(files, host, {"layer one"});
  const auto layer = hash::sha256("layer one");
  test::finish_layout(files, {manifest}).erase("blobs/sha256/" + layer.hex());
  EXPECT_EQ(error_of([&] { write(*opened(files)); }), "it: blob " + layer.str() + " is missing");
}

TEST_F(Layouts, LeaveOutPlatformsThatWereNotSaved) {
  Files files, elsewhere;
  const auto absent = test::add_image_of_platform(elsewhere, "linux/arm64", {"x"});
  const auto index =
      test::add_index(files, {absent, test::add_image_of_platform(files, "linux/amd64", {"y"})});
  EXPECT_EQ(write(*opened(test::finish_layout(files, {index}))), index.digest);
  EXPECT_EQ(count_blobs(), 4U);
}

TEST_F(Layouts, AreNeverMadeOverWhatIsThere) {
  fs::create_directory(made());
  test::write_files(made(), {{"precious", "x"}});
  EXPECT_EQ(error_of([&] { LayoutWriter writer(made()); }),
            "cannot create '" + made().string() + "': File exists");
  EXPECT_TRUE(fs::exists(made() / "precious"));
}

class PlaceBlob : public testing::Test {
protected:
  void SetUp() override {
    struct stat a, b;
    if (::stat(from_.path().c_str(), &a) == 0 && ::stat(to_.path().c_str(), &b) == 0 &&
        a.st_dev == b.st_dev) {
      GTEST_SKIP() << "/tmp and /dev/shm are one filesystem";
    }
  }

  image::Placement place(const std::string& content) {
    const auto file = from_.path() / "blob";
    test::write_files(from_.path(), {{"blob", content}});
    const auto fd = std::make_shared<const sys::UniqueFd>(sys::open_readable(file));
    const auto placement =
        image::place_blob({fd, 0, content.size(), file}, hash::sha256(content), to_.path() / "blob", "it");
    EXPECT_EQ(sys::read_file(to_.path() / "blob"), content);
    return placement;
  }

  sys::TempDir from_{"/tmp"}, to_{"/dev/shm"};
};

TEST_F(PlaceBlob, RefersToALargeFileOfAnotherFilesystem) {
  EXPECT_EQ(place(std::string(200'000, 'x')), image::Placement::referenced);
}

TEST_F(PlaceBlob, CopiesASmallFileOfAnotherFilesystem) {
  EXPECT_EQ(place("small"), image::Placement::copied);
}

}  // namespace
