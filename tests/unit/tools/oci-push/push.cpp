// Pushes of whole images to a real registry, and what is not sent.
#include "tools/oci-push/push.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/common/registry/pull_fixture.hpp"

namespace {

using oci_push::parse_goal;
using test::error_of;
using test::Files;

class PushImage : public registry::PullTest {
protected:
  std::unique_ptr<image::Archive> archive_of(const Files& files) {
    return image::open(test::file_with(test::tar_of(files)), "it");
  }

  // To a repository of that name in the registry behind the proxy.
  oci_push::Sent push(const image::Archive& archive, const std::string& name,
                      const std::optional<image::Reference>& other = {}) {
    const auto goal = parse_goal(world().proxy.address() + "/" + name);
    const auto contents = image::contents_of(archive);
    require_pushable(archive, contents, goal);
    registry::Pusher pusher(settings());
    return oci_push::push(pusher, archive, contents, goal, other);
  }

  std::size_t count(const std::vector<test::LoggedRequest>& requests, const std::string& part) {
    return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), [&](const auto& request) {
      return request.line().find(part) != std::string::npos;
    }));
  }

  // Bytes that no other test pushes.
  std::string layer(std::size_t size) {
    std::string text = directory_.path().string();
    while (text.size() < size)
      text += text;
    return text.substr(0, size);
  }
};

TEST_F(PushImage, SendsAnIndexWithItsImagesAndAttestations) {
  auto& front = proxy();
  Files files;
  const auto bytes = layer(1 << 20);
  auto attestation = test::add_image(files, "linux/amd64", {"statement"});
  attestation.platform = image::Platform{"unknown", "unknown", ""};
  const auto index =
      test::add_index(files, {test::add_image_of_platform(files, "linux/amd64", {bytes, "x"}),
                              test::add_image_of_platform(files, "linux/arm64", {bytes}), attestation});
  const auto archive = archive_of(test::finish_layout(files, {index}));
  EXPECT_EQ(push(*archive, "whole:1").uploaded, 6U);
  const auto requests = front.requests();
  EXPECT_EQ(count(requests, "PUT /v2/whole/manifests/"), 4U);
  EXPECT_EQ(requests.back().line(), "PUT /v2/whole/manifests/1");
  const auto name = front.address() + "/whole:1";
  expect_layers(pull(name, image::Platform::parse("linux/arm64")), {bytes});
  expect_layers(pull(name + "@" + index.digest.str(), image::Platform::parse("linux/amd64")), {bytes, "x"});
}

TEST_F(PushImage, SendsOnlyWhatIsMissing) {
  auto& front = proxy();
  Files files;
  const auto archive =
      archive_of(test::finish_layout(files, {test::add_image(files, "linux/amd64", {layer(1000)})}));
  EXPECT_EQ(push(*archive, "once:1").uploaded, 2U);
  const auto again = push(*archive, "once:2");
  EXPECT_EQ(again.was_there, 2U);
  EXPECT_EQ(again.bytes, 0U);
  const auto beside = push(*archive, "beside:1", registry::reference_of(front.address() + "/once:1"));
  EXPECT_EQ(beside.mounted, 2U);
}

TEST_F(PushImage, SendsNoManifestOfADamagedImage) {
  auto& front = proxy();
  Files files;
  const auto bytes = layer(300'000);
  const auto root = test::add_image(files, "linux/amd64", {bytes});
  files["blobs/sha256/" + hash::sha256(bytes).hex()][150'000] ^= 1;
  const auto archive = archive_of(test::finish_layout(files, {root}));
  const auto error = error_of([&] { push(*archive, "damaged:1"); });
  EXPECT_TRUE(error.starts_with("cannot push to '" + front.address() + "/damaged:1': it: blob " +
                                hash::sha256(bytes).str() + " is damaged: its digest is sha256:"))
      << error;
  const auto requests = front.requests();
  EXPECT_EQ(count(requests, "/manifests/"), 0U);
  EXPECT_GE(count(requests, "POST /v2/damaged/blobs/uploads/"), 1U);
}

// Which of the two blobs comes first is chance, and both are longer than what is taken.
TEST_F(PushImage, GoesOnWhereAnUploadWasCut) {
  proxy(R"([{"match": "PATCH ", "take": 100, "times": 2}])");
  Files files;
  const auto bytes = layer(2 << 20);
  const auto archive =
      archive_of(test::finish_layout(files, {test::add_image(files, "linux/amd64", {bytes})}));
  push(*archive, "cut:1");
  proxy();
  expect_layers(pull(world().proxy.address() + "/cut:1"), {bytes});
}

TEST_F(PushImage, RefusesWhatNoRegistryTakes) {
  Files files;
  Files elsewhere;
  const auto index = test::add_index(files, {test::add_image_of_platform(files, "linux/amd64", {"x"}),
                                             test::add_image_of_platform(elsewhere, "linux/arm64", {"y"})});
  const auto archive = archive_of(test::finish_layout(files, {index}));
  EXPECT_EQ(error_of([&] { push(*archive, "torn:1"); }),
            "it names more than it holds (linux/arm64), which no registry takes; push one image of it by "
            "--platform");
}

TEST_F(PushImage, RefusesAnotherDigestThanIsAskedFor) {
  Files files;
  const auto root = test::add_image(files, "linux/amd64", {"x"});
  const auto archive = archive_of(test::finish_layout(files, {root}));
  const std::string other = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(
      error_of([&] { push(*archive, "app:1@" + other); }),
      "it is " + root.digest.str() + ", not the " + other + " of '" + world().proxy.address() + "/app:1'");
}

}  // namespace
