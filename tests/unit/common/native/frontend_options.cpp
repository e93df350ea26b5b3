#include "common/native/frontend_options.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/buildkit/buildctl.hpp"
#include "common/native/engine.hpp"
#include "common/native/epoch.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"

namespace {

using native::Treatment;

class FrontendOptions : public testing::Test {
protected:
  document::Request request(const std::string& dockerfile = "FROM scratch\n") const {
    document::Request request;
    request.dockerfile = directory_.path() / "Dockerfile";
    sys::write_file(request.dockerfile, dockerfile);
    request.targets = {{}};
    return request;
  }

  document::Request with_argument(const std::string& name, const std::string& value) const {
    auto given = request();
    given.build_args = {{name, value}};
    return given;
  }

private:
  sys::TempDir directory_{testing::TempDir()};
};

TEST_F(FrontendOptions, OfEachBuiltInArgItIsKnownWhoHonoursIt) {
  for (const auto& option : native::builtin_args()) {
    auto name = std::string(option.name);
    if (name.ends_with('*')) name.back() = 'X';
    const auto left_out = native::left_out(
        native::Definition(with_argument(name, name == "BUILDKIT_SYNTAX" ? "docker/dockerfile" : "1")));
    if (option.treatment == Treatment::left_to_buildkit) {
      EXPECT_EQ(left_out, "the build arg " + name);
    } else {
      EXPECT_EQ(left_out, std::nullopt) << name;
      EXPECT_TRUE(option.treatment == Treatment::honoured || option.treatment == Treatment::without_effect);
    }
  }
}

TEST_F(FrontendOptions, AllThatBuildctlIsToldAreKnown) {
  auto given = with_argument("a", "b");
  given.context = "https://example.com/context.git";
  given.labels = {{"a", "b"}};
  given.platforms = {image::Platform::parse("linux/amd64")};
  given.add_hosts = {{"a", "10.0.0.1"}};
  given.source_date_epoch = "1";
  given.provenance = document::Attributes::parse("mode=max");
  given.sbom = document::Attributes();
  given.contexts = {{"name", "."}};
  const auto arguments = buildkit::solve_arguments(given, {"unix:///socket", {}, {}, {}},
                                                   {.target = "t", .destination = std::nullopt}, {});
  int known = 0;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i - 1] != "--opt") continue;
    const auto key = arguments[i].substr(0, arguments[i].find('='));
    const auto stands_for = [&](const native::FrontendOption& option) {
      return option.name.ends_with(':') ? key.starts_with(option.name) : key == option.name;
    };
    const auto& options = native::frontend_options();
    const auto option = std::find_if(options.begin(), options.end(), stands_for);
    ASSERT_NE(option, options.end()) << key;
    EXPECT_NE(option->treatment, Treatment::of_no_parameter) << key;
    ++known;
  }
  EXPECT_EQ(known, 11);
}

TEST_F(FrontendOptions, WhatBuildkitRemovedIsRefusedInItsWords) {
  EXPECT_EQ(test::error_of(
                [&] { native::refuse_removed_arguments(with_argument("BUILDKIT_DISABLE_FILEOP", "1")); }),
            "support for \"BUILDKIT_DISABLE_FILEOP\" build-arg was removed in BuildKit 0.11");
  native::refuse_removed_arguments(with_argument("BUILDKIT_DISABLE_FILEOP", "0"));
}

TEST_F(FrontendOptions, TheEpochMayBeAParameterABuildArgOrAnArgOfTheDockerfile) {
  auto given = request("ARG SOURCE_DATE_EPOCH=3\nFROM scratch\n");
  EXPECT_EQ(native::epoch_of(native::Definition(given)), 3);
  given.build_args = {{"SOURCE_DATE_EPOCH", "2"}};
  EXPECT_EQ(native::epoch_of(native::Definition(given)), 2);
  given.source_date_epoch = "1";
  EXPECT_EQ(native::epoch_of(native::Definition(given)), 1);
  given.source_date_epoch = std::nullopt;
  given.build_args = {{"SOURCE_DATE_EPOCH", ""}};
  EXPECT_EQ(native::epoch_of(native::Definition(given)), std::nullopt);
  EXPECT_EQ(native::epoch_of(native::Definition(request("FROM scratch\nARG SOURCE_DATE_EPOCH=3\n"))),
            std::nullopt);
}

TEST_F(FrontendOptions, AnEpochThatIsAWordIsLeftToBuildkit) {
  EXPECT_EQ(native::left_out(native::Definition(with_argument("SOURCE_DATE_EPOCH", "context"))),
            "a SOURCE_DATE_EPOCH that is no number");
  const auto given = request("ARG SOURCE_DATE_EPOCH=context\nFROM scratch\n");
  EXPECT_EQ(native::left_out(native::Definition(given)),
            "a SOURCE_DATE_EPOCH that is no number (an ARG of the Dockerfile)");
  EXPECT_EQ(test::error_of([&] { native::epoch_of(native::Definition(given)); }),
            "SOURCE_DATE_EPOCH: 'context' is no number of seconds since 1970; use ENGINE=buildkit");
}

}  // namespace
