#include "common/attest/provenance.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/error_of.hpp"
#include "tests/unit/common/plan/planning.hpp"

namespace attest {
namespace {

using nlohmann::json;

const image::Platform amd64{"linux", "amd64", ""};
const std::string some_digest = "sha256:" + std::string(64, 'a');

ImageSource find_image(const plan::Pull& pull) {
  return {.origin = ImageOrigin::registry,
          .name = pull.reference,
          .platform = pull.platform,
          .digest = hash::Digest::parse(some_digest)};
}

Sources sources_in(std::string_view dockerfile, const solver::Pins& pins = {}) {
  const auto graph = test::plan_of(dockerfile);
  return sources_of(graph, test::image_of(graph), pins, find_image);
}

json predicate_of(const std::string& options, Build build) {
  const auto statement =
      provenance(ProvenanceOptions::parse(document::Attributes::parse(options)), std::move(build));
  return json::parse(statement.json).at("predicate");
}

Build build_with(std::map<std::string, std::string> args) {
  return {.dockerfile = "Dockerfile",
          .args = std::move(args),
          .builder = amd64,
          .target = {"linux", "arm64", ""},
          .invocation = "some",
          .started = {.seconds = 1},
          .finished = {.seconds = 2},
          .sources = {.materials = {}, .locals = {"context"}, .secrets = {{"token", false}}, .ssh = {}},
          .config = std::nullopt};
}

TEST(PackageUrl, NamesImagesAsBuildkitDoes) {
  EXPECT_EQ(package_url(ImageOrigin::registry, "docker.io/library/debian:12", amd64),
            "pkg:docker/debian@12?platform=linux%2Famd64");
  EXPECT_EQ(package_url(ImageOrigin::registry, "docker.io/library/debian", {"linux", "arm", "v7"}),
            "pkg:docker/debian@latest?platform=linux%2Farm%2Fv7");
  EXPECT_EQ(package_url(ImageOrigin::registry, "127.0.0.1:5000/a/b:1@" + some_digest, amd64),
            "pkg:docker/127.0.0.1:5000/a/b@1?digest=" + some_digest + "&platform=linux%2Famd64");
  EXPECT_EQ(package_url(ImageOrigin::layout, "docker.io/library/base@" + some_digest, amd64),
            "pkg:oci/base?digest=" + some_digest + "&platform=linux%2Famd64");
}

TEST(Sources, AreWhatTheImageStandsOnAndNotWhatOthersDo) {
  const auto sources = sources_in(
      "FROM debian:12 AS used\nCOPY a /\nFROM busybox AS unused\nRUN never\nFROM scratch\nCOPY --from=used / "
      "/\n");
  ASSERT_EQ(sources.materials.size(), 1U);
  EXPECT_EQ(sources.materials[0],
            (Material{"pkg:docker/debian@12?platform=linux%2Famd64", "sha256", std::string(64, 'a')}));
  EXPECT_EQ(sources.locals, std::vector<std::string>{"context"});
}

TEST(Sources, AreWithoutWhatLogsInAtThem) {
  const auto graph = test::plan_of("FROM scratch\nADD https://user:secret@example.com/f /\n");
  solver::Pins pins;
  for (plan::OpId id = 0; id < graph.ops.size(); ++id)
    pins[id] = "beef";
  const auto sources = sources_of(graph, test::image_of(graph), pins, find_image);
  ASSERT_EQ(sources.materials.size(), 1U);
  EXPECT_EQ(sources.materials[0], (Material{"https://xxxxx:xxxxx@example.com/f", "sha256", "beef"}));
}

TEST(Sources, OfADownloadThatNobodyAskedForIsWhatItsChecksumSays) {
  const auto sources =
      sources_in("FROM scratch\nADD --checksum=" + some_digest + " https://example.com/f /\n");
  ASSERT_EQ(sources.materials.size(), 1U);
  EXPECT_EQ(sources.materials[0].hex, std::string(64, 'a'));
}

TEST(Sources, AnAccessIsOptionalIfAllWhoAskForItDoWithout) {
  const auto sources = sources_in(
      "FROM debian:12\nRUN --mount=type=secret,id=a --mount=type=ssh x\n"
      "RUN --mount=type=secret,id=a,required=true --mount=type=secret,id=b y\n");
  EXPECT_EQ(sources.secrets, (std::vector<Access>{{"a", false}, {"b", true}}));
  EXPECT_EQ(sources.ssh, (std::vector<Access>{{"default", true}}));
}

TEST(Provenance, LeavesOutBuildArgsLabelsAndSecretsWhereTheModeIsMin) {
  const auto predicate = predicate_of(
      "mode=min", build_with({{"build-arg:A", "hidden"}, {"label:l", "hidden"}, {"target", "t"}}));
  EXPECT_EQ(predicate.dump().find("hidden"), std::string::npos);
  EXPECT_EQ(predicate.dump().find("token"), std::string::npos);
  EXPECT_EQ(predicate.at("/buildDefinition/externalParameters/request/args"_json_pointer),
            json({{"target", "t"}}));
  EXPECT_EQ(predicate.at("/runDetails/metadata/buildkit_completeness/request"_json_pointer), false);
}

TEST(Provenance, HasThemWhereTheModeIsMax) {
  const auto predicate = predicate_of("", build_with({{"build-arg:A", "b"}, {"filename", "Dockerfile"}}));
  const auto request = predicate.at("/buildDefinition/externalParameters/request"_json_pointer);
  EXPECT_EQ(request.at("args"), json({{"build-arg:A", "b"}}));
  EXPECT_EQ(request.at("secrets"), json::array({{{"id", "token"}}}));
  EXPECT_EQ(predicate.at("/runDetails/metadata/buildkit_completeness"_json_pointer),
            json({{"request", true}, {"resolvedDependencies", false}}));
}

TEST(Provenance, NeverSaysWhatLogsInAtAProxy) {
  const auto predicate =
      predicate_of("mode=max", build_with({{"build-arg:HTTP_PROXY", "http://me:hidden@proxy:1"},
                                           {"build-arg:https_proxy", "me:hidden@proxy:2"}}));
  EXPECT_EQ(predicate.dump().find("hidden"), std::string::npos);
  EXPECT_NE(predicate.dump().find("proxy:2"), std::string::npos);
}

TEST(Provenance, TellsTheSameInBothVersions) {
  const auto later = predicate_of("version=v1,builder-id=me,reproducible=true", build_with({}));
  const auto former = predicate_of("version=v0.2,builder-id=me,reproducible=true", build_with({}));
  EXPECT_EQ(later.at("/runDetails/builder"_json_pointer), former.at("builder"));
  EXPECT_EQ(later.at("/buildDefinition/externalParameters/request"_json_pointer),
            former.at("/invocation/parameters"_json_pointer));
  EXPECT_EQ(later.at("/runDetails/metadata/buildkit_reproducible"_json_pointer), true);
  EXPECT_EQ(former.at("/metadata/reproducible"_json_pointer), true);
  EXPECT_EQ(later.at("/runDetails/metadata/startedOn"_json_pointer),
            former.at("/metadata/buildStartedOn"_json_pointer));
}

TEST(Provenance, RefusesValuesThatBuildkitRefuses) {
  const auto refused = [](const std::string& options) {
    return test::error_of([&] { ProvenanceOptions::parse(document::Attributes::parse(options)); });
  };
  EXPECT_EQ(refused("version=v9"), "invalid provenance SLSA version: v9; use 'v1' or 'v0.2'");
  EXPECT_EQ(refused("version="), "provenance SLSA version cannot be empty; use 'v1' or 'v0.2'");
  EXPECT_EQ(refused("reproducible=x"), "failed to parse reproducible flag 'x'; use 'true' or 'false'");
  EXPECT_EQ(unknown_option(document::Attributes::parse("mode=max,capture-usage=true")), "capture-usage");
}

TEST(BuildConfig, ListsStepsAfterThoseThatTheyUse) {
  const std::string dockerfile = "FROM debian:12\nARG A=b\nRUN make\nCOPY a b /d/\n";
  const auto graph = test::plan_of(dockerfile);
  const auto layer = image::Descriptor{"type", hash::Digest::parse(some_digest), 7};
  solver::BuiltLayers made;
  for (const auto& entry : test::image_of(graph).history) {
    if (entry.layer)
      made.emplace(*entry.layer,
                   solver::BuiltLayer{.packed = {.diff_id = layer.digest, .blob = layer}, .open = {}});
  }
  const auto config =
      build_config(graph, test::image_of(graph), dockerfile, {}, find_image,
                   {.of_base = [&](const plan::Pull&) { return std::vector{layer}; }, .made = made});
  const auto steps = json::parse(config.definition).at("llbDefinition");
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[0].at("/op/Op/source/identifier"_json_pointer),
            "docker-image://docker.io/library/debian:12@" + some_digest);
  EXPECT_EQ(steps[1].at("inputs"), json::array({"step0:0"}));
  EXPECT_EQ(steps[1].at("/op/Op/exec/meta/args/2"_json_pointer), "make");
  EXPECT_EQ(steps[2].at("/op/Op/source/identifier"_json_pointer), "local://context");
  EXPECT_EQ(steps[3].at("inputs"), json::array({"step1:0", "step2:0"}));
  const auto& actions = steps[3].at("/op/Op/file/actions"_json_pointer);
  EXPECT_EQ(actions[0].at("output"), -1);
  EXPECT_EQ(actions[1].at("input"), 2);
  EXPECT_EQ(steps[4], json({{"id", "step4"}, {"inputs", {"step3:0"}}, {"op", {{"Op", json::object()}}}}));
  EXPECT_EQ(json::parse(config.layers).at("/step3:0/0"_json_pointer).size(), 3U);
  EXPECT_EQ(json::parse(config.source).at("/locations/step1/locations/0/ranges/0/start/line"_json_pointer),
            3);
}

}  // namespace
}  // namespace attest
