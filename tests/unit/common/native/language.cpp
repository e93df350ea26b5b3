#include "common/native/language.hpp"

#include <gtest/gtest.h>

#include "common/native/engine.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/image_files.hpp"

namespace {

class Language : public testing::Test {
protected:
  document::Request request(const std::string& dockerfile) const {
    document::Request request;
    request.dockerfile = directory_.path() / "Dockerfile";
    sys::write_file(request.dockerfile, dockerfile);
    return request;
  }

  std::optional<std::string> left_out(const std::string& dockerfile) const {
    return native::left_out(native::Definition(request(dockerfile)));
  }

  // For "FROM base", with an image of that config on disk as `base`.
  document::Request request_over_image(const std::string& config) const {
    test::Files files;
    const image::Manifest manifest{std::string(image::media_type::oci_manifest),
                                   test::add_blob(files, config, image::media_type::oci_config),
                                   {}};
    const auto root = test::add_blob(files, image::to_json(manifest), image::media_type::oci_manifest);
    test::write_files(layout_.path(), test::finish_layout(files, {root}));
    auto given = request("FROM base\n");
    given.preloads = {{.role = document::Preload::Role::context,
                       .name = "base",
                       .path = layout_.path(),
                       .layout = document::Preload::Layout{layout_.path(), root.digest}}};
    return given;
  }

private:
  sys::TempDir directory_{testing::TempDir()};
  sys::TempDir layout_{testing::TempDir()};
};

TEST_F(Language, LeavesNothingOutOfAnOrdinaryFile) {
  EXPECT_EQ(left_out("# syntax=docker/dockerfile:1\nFROM busybox\nRUN --mount=type=cache,target=/c true\n"),
            std::nullopt);
}

TEST_F(Language, LeavesForeignSyntaxImagesOut) {
  EXPECT_EQ(left_out("# syntax=example.com/mine:1\nanything: at all\n"),
            "the syntax image 'example.com/mine:1'");
}

TEST_F(Language, LeavesASyntaxImageGivenAsBuildArgOut) {
  auto given = request("# syntax=docker/dockerfile:1\nFROM scratch\n");
  given.build_args = {{"BUILDKIT_SYNTAX", "docker/dockerfile:1"}};
  EXPECT_EQ(native::left_out(native::Definition(given)), std::nullopt);
  given.build_args = {{"BUILDKIT_SYNTAX", "mine"}};
  EXPECT_EQ(native::left_out(native::Definition(given)), "the syntax image 'mine'");
}

TEST_F(Language, LeavesDevicesOutAndNamesTheLine) {
  EXPECT_EQ(left_out("FROM scratch AS a\n\nFROM a\nRUN true\nRUN --device=vendor.com/gpu=all true\n"),
            "RUN --device (Dockerfile:5)");
}

TEST_F(Language, LeavesDevicesOfTriggersOutWhereTheyFire) {
  const std::string base = "FROM scratch AS a\nONBUILD RUN --device=x true\n";
  EXPECT_EQ(left_out(base), std::nullopt);
  EXPECT_EQ(left_out(base + "FROM a\n"), "RUN --device (Dockerfile:2)");
}

TEST_F(Language, LeavesDevicesOfAnImagesTriggersOut) {
  auto config = test::config_json("linux/amd64", {});
  config.insert(config.find(R"("Env")"), R"("OnBuild":["RUN --device=x true"],)");
  EXPECT_EQ(native::left_out(native::Definition(request_over_image(config))),
            "RUN --device (a trigger of 'base')");
}

TEST_F(Language, LeavesBasesByAnotherDigestThanSha256Out) {
  EXPECT_EQ(left_out("FROM scratch\nFROM busybox@sha512:" + std::string(128, 'a') + "\n"),
            "an image by its sha512 digest (Dockerfile:2)");
}

TEST_F(Language, LeavesOutWhatOnlyBuildkitdReadsOfItsConfiguration) {
  auto given = request("FROM scratch\n");
  given.buildkit_config = "[registry.'a']\nhttp = true\n";
  EXPECT_EQ(native::left_out(native::Definition(given)), std::nullopt);
  given.buildkit_config =
      "[dns]\nnameservers = ['10.0.0.1']\n[registry.'a']\nproxy = 'x'\n[worker.oci]\ngc = false\n";
  EXPECT_EQ(native::left_out(native::Definition(given)),
            "dns, worker, registry.a.proxy of BUILDKIT_EXTRA_CONFIG");
}

TEST_F(Language, LeavesWindowsOut) {
  auto given = request("FROM scratch\n");
  given.platforms = {image::Platform::parse("linux/amd64"), image::Platform::parse("windows/amd64")};
  EXPECT_EQ(native::left_out(native::Definition(given)), "an image for windows");
  const std::string by_argument = "ARG os=linux\nFROM busybox\nFROM --platform=$os/amd64 busybox\n";
  EXPECT_EQ(left_out(by_argument), std::nullopt);
  given = request(by_argument);
  given.build_args = {{"os", "windows"}};
  EXPECT_EQ(native::left_out(native::Definition(given)), "a stage for windows (Dockerfile:3)");
  EXPECT_EQ(left_out("FROM --platform=windows/amd64 scratch\n"), std::nullopt);  // it is the target's
}

TEST_F(Language, LeavesAnImageOfWindowsOut) {
  EXPECT_EQ(native::left_out(native::Definition(request_over_image(test::config_json("windows/amd64", {})))),
            "an image for windows ('base')");
}

TEST_F(Language, SaysNothingOfFilesThatCannotBeReadOrUnderstood) {
  EXPECT_EQ(left_out("FROM scratch\nRUUN --device=x\n"), std::nullopt);
  document::Request request;
  request.dockerfile = "/does/not/exist";
  EXPECT_EQ(native::left_out(native::Definition(request)), std::nullopt);
}

TEST_F(Language, KnowsWhereNoStepCanRun) {
  EXPECT_FALSE(native::may_run_steps(native::Definition(
      request("FROM scratch AS a\nCOPY a /\nFROM a\nCOPY --from=example.com/image b /\nENV A=b\n"))));
  EXPECT_TRUE(native::may_run_steps(native::Definition(request("FROM scratch\nRUN true\n"))));
  EXPECT_TRUE(
      native::may_run_steps(native::Definition(request("FROM scratch AS a\nONBUILD RUN true\nFROM a\n"))));
  EXPECT_TRUE(native::may_run_steps(native::Definition(request("FROM busybox\nCOPY a /\n"))));
  EXPECT_TRUE(native::may_run_steps(native::Definition(request("FRUM scratch\n"))));
}

TEST_F(Language, ADockerfileThatChangesMeanwhileIsTheOneThatWasReadFirst) {
  const auto given = request("FROM scratch\n");
  const native::Definition definition(given);
  EXPECT_FALSE(native::may_run_steps(definition));
  request("FROM busybox\nRUN true\n");
  EXPECT_FALSE(native::may_run_steps(definition));
  EXPECT_EQ(definition.text(), "FROM scratch\n");
  EXPECT_TRUE(native::may_run_steps(native::Definition(given)));
}

}  // namespace
