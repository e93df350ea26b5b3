// References for images that lie on disk.
#include "common/engine/preloads.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/error_of.hpp"

namespace {

using Role = document::Preload::Role;

document::Preload laid_out(Role role, const std::string& name) {
  return {.role = role,
          .name = name,
          .path = "image.tar",
          .layout = document::Preload::Layout{
              .directory = "/w/layout", .digest = hash::Digest::parse("sha256:" + std::string(64, 'a'))}};
}

std::vector<std::string> references(const std::vector<document::Preload>& preloads) {
  std::vector<std::string> result;
  for (const auto& image : engine::name_preloads(preloads))
    result.push_back(image.reference);
  return result;
}

TEST(NamePreloads, MakesUpAReferenceFromTheNameOfABuildArg) {
  const std::vector<std::string> expected = {"image-arg/base", "image-arg/my-base-image", "image-arg/image"};
  EXPECT_EQ(references({laid_out(Role::build_arg, "base"), laid_out(Role::build_arg, "__My_BASE--Image_"),
                        laid_out(Role::build_arg, "__")}),
            expected);
}

TEST(NamePreloads, KeepsNamesApartThatDifferOnlyByCase) {
  const auto names = references({laid_out(Role::build_arg, "base"), laid_out(Role::build_arg, "BASE"),
                                 laid_out(Role::build_arg, "Base"), laid_out(Role::build_arg, "base_2")});
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 4U);
}

TEST(NamePreloads, GivesEachLayoutAStoreOfItsOwn) {
  const auto images =
      engine::name_preloads({laid_out(Role::build_arg, "a"), laid_out(Role::context, "debian:12")});
  ASSERT_EQ(images.size(), 2U);
  EXPECT_NE(images[0].store, images[1].store);
  EXPECT_EQ(images[1].reference, "debian:12");
  EXPECT_EQ(images[1].layout.directory, "/w/layout");
  EXPECT_EQ(images[1].layout.digest.str(), "sha256:" + std::string(64, 'a'));
}

TEST(NamePreloads, RefusesARequestThatWasNotPreloaded) {
  document::Preload raw = laid_out(Role::build_arg, "base");
  raw.layout.reset();
  EXPECT_EQ(test::error_of([&] { engine::name_preloads({raw}); }),
            "the image 'base' of the request is not laid out; pass the request through oci-preload first");
}

}  // namespace
