// The digests that oci-digest prints.
#include "tools/oci-digest/digests.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"

namespace {

using image::Platform;
using test::error_of;
using test::Files;

const std::string here = Platform::host().str();
const std::string there = Platform::host().architecture == "s390x" ? "linux/riscv64" : "linux/s390x";

std::unique_ptr<image::Archive> open_tar(const Files& files) {
  return image::open(test::file_with(test::tar_of(files)), "it");
}

TEST(Digests, OfOneImage) {
  Files files;
  const auto manifest = test::add_image(files, here, {"x"});
  const auto archive = open_tar(test::finish_layout(files, {manifest}));
  EXPECT_EQ(oci_digest::config_digest(*archive, std::nullopt), hash::sha256(test::config_json(here, {"x"})));
  EXPECT_EQ(oci_digest::manifest_digest(*archive, std::nullopt), manifest.digest);
  EXPECT_EQ(oci_digest::index_digest(*archive), manifest.digest);
}

TEST(Digests, OfSeveralPlatforms) {
  Files files;
  const auto first = test::add_image_of_platform(files, there, {"x"});
  const auto second = test::add_image_of_platform(files, here, {"y"});
  const auto index = test::add_index(files, {first, second});
  const auto archive = open_tar(test::finish_layout(files, {index}));
  EXPECT_EQ(oci_digest::manifest_digest(*archive, std::nullopt), second.digest);
  EXPECT_EQ(oci_digest::manifest_digest(*archive, Platform::parse(there)), first.digest);
  EXPECT_EQ(oci_digest::index_digest(*archive), index.digest);
}

TEST(Digests, AreAllInTheJson) {
  Files files;
  const auto manifest = test::add_image_of_platform(files, "linux/arm/v6", {"x"});
  const auto index = test::add_index(files, {manifest});
  const auto config = hash::sha256(test::config_json("linux/arm/v6", {"x"})).str();
  EXPECT_EQ(oci_digest::to_json(*open_tar(test::finish_layout(files, {index})), std::nullopt),
            R"({"schema":"oci-build/digest/1","config":")" + config + R"(","manifest":")" +
                manifest.digest.str() + R"(","index":")" + index.digest.str() +
                R"(","platforms":[{"os":"linux","architecture":"arm","variant":"v6","config":")" + config +
                R"(","manifest":")" + manifest.digest.str() + "\"}]}");
}

TEST(Digests, AreNullInTheJsonWhereThereIsNone) {
  const auto config = test::config_json(there, {});
  const auto archive = open_tar({{"c", config}, {"manifest.json", R"([{"Config":"c","Layers":[]}])"}});
  EXPECT_EQ(oci_digest::to_json(*archive, std::nullopt),
            R"({"schema":"oci-build/digest/1","config":")" + hash::sha256(config).str() +
                R"(","manifest":null,"index":null,"platforms":[{"os":"linux","architecture":")" +
                Platform::parse(there).architecture + R"(","variant":null,"config":")" +
                hash::sha256(config).str() + R"(","manifest":null}]})");
}

TEST(Digests, AreNullInTheJsonWhereNoPlatformFitsThisMachine) {
  Files files;
  const auto index = test::add_index(files, {test::add_image_of_platform(files, "windows/amd64", {"x"}),
                                             test::add_image_of_platform(files, there, {"y"})});
  const auto archive = open_tar(test::finish_layout(files, {index}));
  EXPECT_TRUE(
      oci_digest::to_json(*archive, std::nullopt)
          .starts_with(R"({"schema":"oci-build/digest/1","config":null,"manifest":null,"index":"sha256:)"));
  EXPECT_EQ(error_of([&] { oci_digest::to_json(*archive, Platform::parse("linux/mips")); }),
            "it holds no image for linux/mips, only for windows/amd64, " + there);
}

TEST(Digests, OfAManifestDoNotExistWhereThereIsNoManifest) {
  const auto archive =
      open_tar({{"c", test::config_json(here, {})}, {"manifest.json", R"([{"Config":"c","Layers":[]}])"}});
  for (const auto& message : {error_of([&] { oci_digest::manifest_digest(*archive, std::nullopt); }),
                              error_of([&] { oci_digest::index_digest(*archive); })}) {
    EXPECT_TRUE(message.starts_with("it holds no manifest, as tars of older 'docker save' do")) << message;
  }
}

TEST(Digests, OfTheWholeDoNotExistWhereImagesStandSideBySide) {
  Files files;
  const auto archive = open_tar(test::finish_layout(
      files, {test::add_image(files, here, {"x"}), test::add_image(files, there, {"y"})}));
  EXPECT_EQ(error_of([&] { oci_digest::index_digest(*archive); }),
            "it holds 2 images side by side, so there is no one digest for the whole");
}

}  // namespace
