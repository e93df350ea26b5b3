// What belongs to an image, in the order in which a registry takes it.
#include "common/image/contents.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"

namespace {

using image::contents_of;
using image::Descriptor;
using image::Platform;
using test::error_of;
using test::Files;

std::unique_ptr<image::Archive> archive_of(const Files& files) {
  return image::open(test::file_with(test::tar_of(files)), "it");
}

std::vector<hash::Digest> digests_of(const std::vector<Descriptor>& descriptors) {
  std::vector<hash::Digest> digests;
  for (const auto& descriptor : descriptors)
    digests.push_back(descriptor.digest);
  return digests;
}

Descriptor attestation_of(Files& files, const std::string& statement) {
  auto attestation = test::add_image(files, "linux/amd64", {statement});
  attestation.platform = Platform{"unknown", "unknown", ""};
  return attestation;
}

TEST(Contents, NameEveryManifestBeforeTheIndexThatNamesIt) {
  Files files;
  const auto amd64 = test::add_image_of_platform(files, "linux/amd64", {"shared", "x"});
  const auto arm64 = test::add_image_of_platform(files, "linux/arm64", {"shared", "y"});
  const auto attestation = attestation_of(files, "statement");
  const auto index = test::add_index(files, {amd64, arm64, attestation});
  const auto contents = contents_of(*archive_of(test::finish_layout(files, {index})));
  EXPECT_EQ(contents.root.digest, index.digest);
  EXPECT_EQ(digests_of(contents.manifests),
            (std::vector{amd64.digest, arm64.digest, attestation.digest, index.digest}));
  EXPECT_EQ(contents.blobs.size(), 7U);  // three configs; the shared layer once
  EXPECT_TRUE(contents.absent.empty());
}

TEST(Contents, OfOnePlatformAreItsImageAlone) {
  Files files;
  const auto amd64 = test::add_image_of_platform(files, "linux/amd64", {"x"});
  const auto arm64 = test::add_image_of_platform(files, "linux/arm64", {"y"});
  const auto archive = archive_of(test::finish_layout(files, {test::add_index(files, {amd64, arm64})}));
  const auto contents = contents_of(*archive, Platform::parse("linux/arm64"));
  EXPECT_EQ(contents.root.digest, arm64.digest);
  EXPECT_EQ(digests_of(contents.manifests), std::vector{arm64.digest});
  EXPECT_EQ(contents.blobs.size(), 2U);
}

TEST(Contents, SayWhatAnIndexNamesAndTheArchiveDoesNotHold) {
  Files files;
  Files elsewhere;
  const auto amd64 = test::add_image_of_platform(files, "linux/amd64", {"x"});
  const auto arm64 = test::add_image_of_platform(elsewhere, "linux/arm64", {"y"});
  const auto attestation = attestation_of(files, "statement");
  files.erase("blobs/sha256/" + hash::sha256("statement").hex());
  const auto index = test::add_index(files, {amd64, arm64, attestation});
  const auto contents = contents_of(*archive_of(test::finish_layout(files, {index})));
  EXPECT_EQ(digests_of(contents.absent), (std::vector{arm64.digest, attestation.digest}));
  EXPECT_EQ(contents.root.digest, index.digest);
}

TEST(Contents, HoldAManifestThatWasMadeWhereThereIsNone) {
  Files files;
  const std::string config = test::config_json("linux/amd64", {"layer"});
  files["config.json"] = config;
  files["layer.tar"] = "layer";
  files["manifest.json"] = R"([{"Config":"config.json","RepoTags":null,"Layers":["layer.tar"]}])";
  const auto archive = archive_of(files);
  const auto contents = contents_of(*archive);
  const auto json = contents.document(*archive, contents.root);
  EXPECT_EQ(hash::sha256(json), contents.root.digest);
  EXPECT_EQ(image::parse_manifest(json, "it").config.digest, hash::sha256(config));
  EXPECT_EQ(digests_of(contents.blobs), (std::vector{hash::sha256(config), hash::sha256("layer")}));
}

TEST(Contents, AreNoneWhereALayerIsMissing) {
  Files files;
  const auto manifest = test::add_image(files, "linux/amd64", {"layer"});
  const auto layer = hash::sha256("layer");
  files.erase("blobs/sha256/" + layer.hex());
  const auto archive = archive_of(test::finish_layout(files, {manifest}));
  EXPECT_EQ(error_of([&] { contents_of(*archive); }), "it: blob " + layer.str() + " is missing");
}

}  // namespace
