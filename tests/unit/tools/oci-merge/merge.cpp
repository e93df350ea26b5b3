// What an index of several archives says.
#include "tools/oci-merge/merge.hpp"

#include <gtest/gtest.h>

#include "common/image/manifest.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"

namespace {

using image::Descriptor;
using image::Platform;
using test::Files;

class Merge : public testing::Test {
protected:
  void add(Files& files, const std::vector<Descriptor>& roots, const std::string& what) {
    archives_.push_back(image::open(test::file_with(test::tar_of(test::finish_layout(files, roots))), what));
  }

  image::Index merged() { return image::parse_index(oci_merge::merge(archives_).index_json, "the index"); }

  std::vector<std::unique_ptr<image::Archive>> archives_;
};

TEST_F(Merge, KeepsAttestationsBesideTheirImagesAndTheirReferences) {
  Files files;
  Files other;
  auto image = test::add_image_of_platform(files, "linux/amd64", {"x"});
  auto attestation = test::add_image(files, "linux/amd64", {"statement"});
  attestation.platform = Platform{"unknown", "unknown", ""};
  attestation.annotations = {{"vnd.docker.reference.digest", image.digest.str()},
                             {"vnd.docker.reference.type", "attestation-manifest"}};
  add(files, {test::add_index(files, {image, attestation})}, "one");
  const auto arm = test::add_image(other, "linux/arm64", {"x"});
  add(other, {arm}, "two");
  const auto index = merged();
  ASSERT_EQ(index.manifests.size(), 3U);
  EXPECT_EQ(index.manifests[0].digest, image.digest);
  EXPECT_EQ(index.manifests[1].digest, attestation.digest);
  EXPECT_EQ(index.manifests[1].annotations, attestation.annotations);
  EXPECT_EQ(index.manifests[2].digest, arm.digest);
  EXPECT_EQ(index.manifests[2].platform, Platform::parse("linux/arm64"));
  // The layer of both once, three configs, the statement, three manifests: the old index is none of them.
  EXPECT_EQ(oci_merge::merge(archives_).parts.size(), 8U);
}

TEST_F(Merge, KeepsAnnotationsButForTheNamesInALayout) {
  Files files;
  auto image = test::add_image(files, "linux/amd64", {"x"});
  image.annotations = {{"org.opencontainers.image.ref.name", "1"},
                       {"io.containerd.image.name", "app:1"},
                       {"org.opencontainers.image.created", "2026-01-01T00:00:00Z"},
                       {"team", "ours"}};
  add(files, {image}, "one");
  Files other;
  const image::Index annotated{std::string(image::media_type::oci_index),
                               {test::add_image_of_platform(other, "linux/arm64", {"y"})},
                               {{"source", "here"}}};
  add(other, {test::add_blob(other, image::to_json(annotated), image::media_type::oci_index)}, "two");
  const auto index = merged();
  EXPECT_EQ(index.manifests[0].annotations, (std::map<std::string, std::string>{{"team", "ours"}}));
  EXPECT_EQ(index.annotations, (std::map<std::string, std::string>{{"source", "here"}}));
}

TEST_F(Merge, LeavesOutWhatAnArchiveNamesAndDoesNotHold) {
  Files files;
  Files elsewhere;
  const auto amd64 = test::add_image_of_platform(files, "linux/amd64", {"x"});
  const auto arm64 = test::add_image_of_platform(elsewhere, "linux/arm64", {"y"});
  add(files, {test::add_index(files, {amd64, arm64})}, "one");
  const auto index = merged();
  ASSERT_EQ(index.manifests.size(), 1U);
  EXPECT_EQ(index.manifests[0].digest, amd64.digest);
}

TEST_F(Merge, TellsVariantsApartAndEqualPlatformsNot) {
  Files first;
  Files second;
  Files third;
  add(first, {test::add_image(first, "linux/arm/v6", {"x"})}, "one");
  add(second, {test::add_image(second, "linux/arm/v7", {"x"})}, "two");
  EXPECT_EQ(merged().manifests.size(), 2U);
  add(third, {test::add_image(third, "linux/arm", {"z"})}, "three");
  EXPECT_EQ(test::error_of([&] { merged(); }),
            "two and three both hold an image for linux/arm/v7; give one for each platform");
}

}  // namespace
