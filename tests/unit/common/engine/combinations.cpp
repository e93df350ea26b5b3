#include "common/engine/combinations.hpp"

#include <gtest/gtest.h>

#include "common/engine/multi_platform.hpp"
#include "tests/support/error_of.hpp"

namespace {

document::Request with_multi_platform(const std::string& value) {
  document::Request request;
  request.output.format = document::OutputFormat::oci;
  request.build_args = {{"OTHER", "1"}, {"BUILDKIT_MULTI_PLATFORM", value}};
  return request;
}

TEST(MultiPlatform, IsWhatSeveralPlatformsAreAndWhatABuildArgSays) {
  EXPECT_FALSE(engine::is_multi_platform({}));
  EXPECT_TRUE(engine::is_multi_platform(with_multi_platform("1")));
  EXPECT_TRUE(engine::is_multi_platform(with_multi_platform("True")));
  EXPECT_FALSE(engine::is_multi_platform(with_multi_platform("0")));
  EXPECT_FALSE(engine::is_multi_platform(with_multi_platform("")));
  auto several = with_multi_platform("");
  several.platforms = {image::Platform::parse("linux/amd64"), image::Platform::parse("linux/arm64")};
  EXPECT_TRUE(engine::is_multi_platform(several));
}

TEST(MultiPlatform, IsRefusedWhereItCannotBe) {
  EXPECT_EQ(test::error_of([] { engine::is_multi_platform(with_multi_platform("yes")); }),
            "the build arg BUILDKIT_MULTI_PLATFORM: 'yes' is neither true nor false");
  auto several = with_multi_platform("false");
  several.platforms = {image::Platform::parse("linux/amd64"), image::Platform::parse("linux/arm64")};
  EXPECT_EQ(test::error_of([&] { engine::check_combinations(several); }),
            "the build arg BUILDKIT_MULTI_PLATFORM denies several platforms; name one, or remove it");
}

TEST(Combinations, AnImageTarHoldsNoIndex) {
  auto request = with_multi_platform("true");
  engine::check_combinations(request);
  request.output.format = document::OutputFormat::docker;
  EXPECT_EQ(test::error_of([&] { engine::check_combinations(request); }),
            "the build arg BUILDKIT_MULTI_PLATFORM needs the OCI output format: an image.tar holds no index; "
            "set OUTPUT_OCI");
}

}  // namespace
