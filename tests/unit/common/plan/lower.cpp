#include "common/plan/lower.hpp"

#include <gtest/gtest.h>

#include "common/hash/sha256.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/short_form.hpp"
#include "tests/unit/common/plan/planning.hpp"

namespace plan {
namespace {

using test::all;
using test::GivenImages;
using test::image_of;
using test::inputs_for;
using test::line_of;
using test::only;
using test::plan_of;
using test::titles;
using Words = std::vector<std::string>;

constexpr std::string_view two_binaries =
    "FROM debian:12 AS tools\nRUN apt\n"
    "FROM tools AS one\nRUN one\nCOPY one /\n"
    "FROM tools AS two\nRUN two\nCOPY two /\n"
    "FROM nosuch AS unused\nRUN never\n";

TEST(Lowering, LeavesOutStagesThatNoTargetNeeds) {
  GivenImages images;
  const auto graph = plan_of(two_binaries, inputs_for({"one"}), images);
  std::vector<Words> commands;
  for (const auto& run : all<plan::Run>(graph))
    commands.push_back(run.arguments);
  EXPECT_EQ(commands, (std::vector<Words>{{"/bin/sh", "-c", "apt"}, {"/bin/sh", "-c", "one"}}));
  EXPECT_EQ(images.asked, Words{"linux/amd64 docker.io/library/debian:12"});
}

TEST(Lowering, PlansWhatSeveralTargetsNeedOnce) {
  const auto graph = plan_of(two_binaries, inputs_for({"two", "one"}));
  EXPECT_EQ(all<plan::Run>(graph).size(), 3U);
  EXPECT_EQ(all<Pull>(graph).size(), 1U);
  EXPECT_EQ(all<Local>(graph).size(), 1U);
  ASSERT_EQ(graph.targets.size(), 2U);
  EXPECT_EQ(graph.targets[0].name, "two");
  EXPECT_EQ(image_of(graph, 0).history[1].created_by, "RUN /bin/sh -c two # buildkit");
  EXPECT_EQ(image_of(graph, 1).history[1].created_by, "RUN /bin/sh -c one # buildkit");
  EXPECT_EQ(image_of(graph, 0).history[0].layer, image_of(graph, 1).history[0].layer);
}

TEST(Lowering, PutsInputsBeforeWhatNeedsThem) {
  const auto graph = plan_of(
      "FROM scratch AS a\nCOPY x /\nFROM debian:12\nWORKDIR /w\nCOPY --from=a / /a\n"
      "RUN --mount=type=bind,from=a,target=/m ls\nADD https://example.com/f /f\n");
  for (OpId id = 0; id < graph.ops.size(); ++id) {
    for (const OpId input : inputs(graph.ops[id]))
      EXPECT_LT(input, id);
  }
  EXPECT_EQ(inputs(graph.ops[*image_of(graph).history[2].layer]).size(), 2U);
}

TEST(Lowering, CountsTheStepsOfEachStageInTheirTitles) {
  EXPECT_EQ(titles(plan_of("FROM debian:12\nENV a=b\nRUN one\nWORKDIR /w\nCOPY x \\\n  /y\n")),
            (Words{"[1/4] FROM docker.io/library/debian:12", "[2/4] RUN one", "[3/4] WORKDIR /w",
                   "[internal] load build context", "[4/4] COPY x   /y"}));
  EXPECT_EQ(
      titles(plan_of("FROM scratch AS base\nCOPY a /\nFROM scratch\nCOPY --from=base /a /\n")),
      (Words{"[internal] load build context", "[base 1/1] COPY a /", "[stage-1 1/1] COPY --from=base /a /"}));
}

TEST(Lowering, PlacesEveryOpAtItsInstruction) {
  const auto graph = plan_of(
      "FROM debian:12 AS build\nENV A=1\nRUN make $A \\\n  all\n\nFROM scratch\nCOPY --from=build /x /\n"
      "COPY --from=debian:12 /y /\n");
  EXPECT_EQ(titles(graph),
            (Words{"FROM docker.io/library/debian:12", "[build 2/2] RUN make 1   all",
                   "[stage-1 1/2] COPY --from=build /x /", "[stage-1 2/2] COPY --from=debian:12 /y /"}));
  EXPECT_EQ(line_of(graph, "FROM docker.io/library/debian:12"), 8);
  EXPECT_EQ(line_of(graph, "[build 2/2] RUN make 1   all"), 3);
  EXPECT_EQ(line_of(graph, "[stage-1 1/2] COPY --from=build /x /"), 7);
  EXPECT_EQ(graph.source.line(7), "COPY --from=build /x /");
}

TEST(Lowering, NamesThePlatformInTitlesWhereThereAreSeveral) {
  auto inputs = inputs_for();
  inputs.platforms.push_back({.os = "linux", .architecture = "arm64", .variant = ""});
  inputs.names_platforms = true;
  const auto graph = plan_of("FROM debian:12\nRUN x\n", inputs);
  EXPECT_EQ(titles(graph),
            (Words{"[linux/amd64 1/2] FROM docker.io/library/debian:12", "[linux/amd64 2/2] RUN x",
                   "[linux/arm64 1/2] FROM docker.io/library/debian:12", "[linux/arm64 2/2] RUN x"}));
  ASSERT_EQ(graph.targets[0].images.size(), 2U);
  EXPECT_EQ(graph.targets[0].images[1].config.platform.architecture, "arm64");
  EXPECT_EQ(all<plan::Run>(graph)[1].platform.architecture, "arm64");
}

TEST(Lowering, PlansOnceWhatPlatformsHaveInCommon) {
  auto inputs = inputs_for();
  inputs.platforms.push_back({.os = "linux", .architecture = "arm64", .variant = ""});
  inputs.names_platforms = true;
  const auto graph = plan_of(
      "FROM --platform=linux/s390x debian:12 AS build\nWORKDIR /w\nCOPY <<e /\ntext\ne\nRUN shared\n"
      "ARG TARGETARCH\nRUN own\nFROM scratch\nCOPY --from=build /x /\n",
      inputs);
  EXPECT_EQ(
      titles(graph),
      (Words{"[linux/s390x build 1/5] FROM docker.io/library/debian:12", "[linux/s390x build 2/5] WORKDIR /w",
             "[linux/s390x build 3/5] COPY <<e /", "[linux/s390x build 4/5] RUN shared",
             "[linux/s390x->amd64 build 5/5] RUN own", "[linux/amd64 stage-1 1/1] COPY --from=build /x /",
             "[linux/s390x->arm64 build 5/5] RUN own", "[linux/arm64 stage-1 1/1] COPY --from=build /x /"}));
}

TEST(Lowering, PlansOnceWhatStagesHaveInCommonAndCallsItAsTheLastDoes) {
  const auto graph = plan_of(
      "FROM debian:12 AS a\nRUN one\nRUN two\nFROM debian:12 AS b\nRUN one\nENV A=\nRUN two\n"
      "FROM a\nCOPY --from=b / /b\nCOPY --from=a / /a\n");
  EXPECT_EQ(titles(graph), (Words{"[b 1/3] FROM docker.io/library/debian:12", "[b 2/3] RUN one",
                                  "[a 3/3] RUN two", "[b 3/3] RUN two", "[stage-2 1/2] COPY --from=b / /b",
                                  "[stage-2 2/2] COPY --from=a / /a"}));
  EXPECT_EQ(line_of(graph, "[b 2/3] RUN one"), 5);
  EXPECT_EQ(image_of(graph).history.size(), 4U);
}

// What two steps may differ in: none of them stands for another.
class DifferentSteps : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(DifferentSteps, AreNotPlannedAsOne) {
  const std::string one = GetParam().first;
  const auto ops = [&](const std::string& second) {
    return plan_of("FROM debian:12 AS a\n" + one + "\nFROM debian:12 AS b\n" + second +
                   "\nFROM scratch\nCOPY --from=a / /\nCOPY --from=b / /\n")
        .ops.size();
  };
  EXPECT_GT(ops(GetParam().second), ops(one));
}

INSTANTIATE_TEST_SUITE_P(
    All, DifferentSteps,
    testing::Values(
        std::pair("RUN x", "RUN y"), std::pair("RUN x", "RUN --network=none x"),
        std::pair("RUN x", "RUN --security=insecure x"), std::pair("RUN x", "USER u\nRUN x"),
        std::pair("RUN x", "ENV A=b\nRUN x"), std::pair("RUN x", "ARG A=b\nRUN x"),
        std::pair("RUN x", "RUN --mount=type=tmpfs,target=/t x"),
        std::pair("RUN --mount=target=/t x", "RUN --mount=target=/t,source=s x"),
        std::pair("RUN --mount=target=/t x", "RUN --mount=target=/t,rw x"),
        std::pair("RUN --mount=type=cache,target=/t x", "RUN --mount=type=cache,target=/t,id=i x"),
        std::pair("RUN <<e\n#!/bin/x\n1\ne", "RUN <<e\n#!/bin/x\n2\ne"), std::pair("COPY x /", "COPY x /y"),
        std::pair("COPY x /", "COPY --chown=1 x /"), std::pair("COPY x /", "COPY --chmod=1 x /"),
        std::pair("COPY x /", "COPY --link x /"), std::pair("COPY x /", "COPY --parents x /"),
        std::pair("COPY x /", "COPY --exclude=e x /"), std::pair("COPY x /", "COPY x y /"),
        std::pair("COPY x /", "ADD x /"), std::pair("ADD x /", "ADD --unpack=false x /"),
        std::pair("COPY <<e /\n1\ne", "COPY <<e /\n2\ne"), std::pair("WORKDIR /a", "WORKDIR /b"),
        std::pair("WORKDIR /a", "USER u\nWORKDIR /a"), std::pair("ADD http://x/a /", "ADD http://x/b /"),
        std::pair("ADD http://x/a.git /", "ADD --keep-git-dir http://x/a.git /")));

TEST(Lowering, BeginsTheIdOfCacheMountsWithTheirNamespace) {
  auto inputs = inputs_for();
  inputs.cache_namespace = "mine";
  inputs.hostname = "builder";
  const auto run = only<plan::Run>(
      plan_of("FROM scratch\nRUN --mount=type=cache,target=/c --mount=type=secret,id=s x\n", inputs));
  EXPECT_EQ(run.mounts.at(0).options.id, "mine//c");
  EXPECT_EQ(run.mounts.at(1).options.id, "s");
  EXPECT_EQ(run.hostname, "builder");
}

class AnnouncedImages : public GivenImages {
public:
  void announce(const std::vector<BaseImage>& bases) override {
    for (const auto& base : bases)
      asked.push_back("announced " + base.reference.familiar());
  }
};

TEST(Lowering, AnnouncesAllBasesBeforeItAsksForTheFirst) {
  AnnouncedImages images;
  images.configs["docker.io/library/b:latest"] = images.configs.at("docker.io/library/debian:12");
  plan_of("FROM debian:12 AS x\nFROM unused\nFROM scratch AS y\nFROM b\nCOPY --from=x / /\n", inputs_for(),
          images);
  EXPECT_EQ(images.asked,
            (Words{"announced debian:12", "announced b:latest", "linux/amd64 docker.io/library/debian:12",
                   "linux/amd64 docker.io/library/b:latest"}));
}

TEST(Lowering, PullsTheBaseOfAStageForThePlatformItAsksFor) {
  auto inputs = inputs_for();
  inputs.platforms = {{.os = "linux", .architecture = "arm64", .variant = ""}};
  GivenImages images;
  plan_of("FROM --platform=linux/s390x debian:12\n", inputs, images);
  EXPECT_EQ(images.asked, Words{"linux/s390x docker.io/library/debian:12"});
}

TEST(Lowering, FiresTheTriggersOfABaseAndForgetsThem) {
  GivenImages images;
  images.configs["docker.io/library/onbuild:latest"] =
      R"({"os":"linux","architecture":"amd64","config":{"OnBuild":["ENV fired=yes","COPY --from=donor /x /"]}})";
  const auto graph =
      plan_of("FROM scratch AS donor\nCOPY x /\nFROM onbuild\nONBUILD RUN later\n", inputs_for(), images);
  const auto& recipe = image_of(graph);
  EXPECT_EQ(recipe.config.env.back(), "fired=yes");
  EXPECT_EQ(recipe.config.on_build, Words{"RUN later"});
  EXPECT_EQ(recipe.history.front().created_by, "ENV fired=yes");
  EXPECT_EQ(all<Copy>(graph).size(), 2U);
  EXPECT_EQ(line_of(graph, "[stage-1 2/2] ONBUILD COPY --from=donor /x /"), 3);
}

TEST(Lowering, LetsEntrypointClearOnlyAnInheritedCmd) {
  EXPECT_EQ(image_of(plan_of("FROM debian:12\nENTRYPOINT [\"e\"]\n")).config.cmd, Words{});
  EXPECT_EQ(image_of(plan_of("FROM debian:12\nCMD [\"c\"]\nENTRYPOINT [\"e\"]\n")).config.cmd, Words{"c"});
}

TEST(Lowering, PutsTheLabelsOfTheBuildOverThoseOfTheDockerfile) {
  auto inputs = inputs_for();
  inputs.labels = {{"a", "build"}, {"c", "build"}};
  EXPECT_EQ(image_of(plan_of("FROM scratch\nLABEL a=file b=file\n", inputs)).config.labels,
            (std::map<std::string, std::string>{{"a", "build"}, {"b", "file"}, {"c", "build"}}));
}

TEST(Lowering, MakesDestinationsAbsoluteAndKeepsThatTheyAreDirectories) {
  const auto destination = [](const std::string& written) {
    return only<Copy>(plan_of("FROM debian:12\nCOPY x " + written + "\n")).destination;
  };
  EXPECT_EQ(destination("y"), "/base/y");
  EXPECT_EQ(destination("y/"), "/base/y/");
  EXPECT_EQ(destination("."), "/base/");
  EXPECT_EQ(destination("/"), "/");
  EXPECT_EQ(destination("/a/../b//c"), "/b/c");
  EXPECT_EQ(destination("../../../etc/passwd"), "/etc/passwd");
}

TEST(Lowering, CopiesAlongsideTheStageOnlyWithoutChmod) {
  EXPECT_TRUE(only<Copy>(plan_of("FROM debian:12\nCOPY --link x /\n")).link);
  EXPECT_FALSE(only<Copy>(plan_of("FROM debian:12\nCOPY --link --chmod=755 x /\n")).link);
}

TEST(Lowering, UnpacksArchivesOfTheContextAndLeavesDownloadsAsTheyAre) {
  const auto graph = plan_of("FROM scratch\nADD a.tar https://example.com/b.tar /d/\n");
  const auto copy = only<Copy>(graph);
  ASSERT_EQ(copy.sources.size(), 2U);
  EXPECT_TRUE(copy.sources[0].unpack_archives);
  EXPECT_FALSE(copy.sources[1].unpack_archives);
  EXPECT_EQ(copy.sources[1].path, "/b.tar");
  EXPECT_FALSE(copy.sources[1].wildcards);
  EXPECT_EQ(only<Http>(graph).url, "https://example.com/b.tar");
}

TEST(Lowering, TakesAContextThatIsFetchedAsItIs) {
  auto inputs = inputs_for();
  inputs.fetched = Fetched{.directory = "/fetched", .identity = hash::sha256("files"), .commit = "c"};
  const auto graph = plan_of("FROM debian:12\nCOPY a /\nRUN --mount=target=/src x\nADD b.tar /\n", inputs);
  EXPECT_EQ(only<Fetched>(graph), *inputs.fetched);
  EXPECT_TRUE(all<Local>(graph).empty());
  EXPECT_EQ(graph.ops[all<Copy>(graph)[0].sources[0].from].title, "");
  EXPECT_TRUE(all<Copy>(graph)[1].sources[0].unpack_archives);
}

TEST(Lowering, TakesTheContextForABindMountWithoutASource) {
  const auto graph = plan_of(
      "FROM debian:12\nRUN --mount=target=/src --mount=type=cache,target=/c "
      "--mount=type=bind,from=debian:12,target=/b x\n");
  const auto run = only<plan::Run>(graph);
  ASSERT_EQ(run.mounts.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Local>(graph.ops[run.mounts[0].from.value()].action));
  EXPECT_FALSE(run.mounts[1].from);
  EXPECT_EQ(run.mounts[2].from, image_of(graph).base);
}

TEST(Lowering, GivesAStepTheVariablesAndTheUserOfItsPlace) {
  const auto run = only<plan::Run>(
      plan_of("FROM debian:12\nARG v=1\nENV a=$v\nUSER app:app\nWORKDIR sub\nRUN x\nENV b=2\n"));
  EXPECT_EQ(run.environment, (Words{"PATH=/bin", "v=1", "a=1"}));
  EXPECT_EQ(run.working_dir, "/base/sub");
  EXPECT_EQ(run.user, "app:app");
}

TEST(Lowering, TakesPlainDirectoriesGivenAsNamedContexts) {
  auto inputs = inputs_for();
  inputs.directories = {{"assets", "/assets"}, {"base", "/rootfs"}};
  const auto graph = plan_of("FROM base\nCOPY --from=assets logo /\n", inputs);
  const auto locals = all<Local>(graph);
  ASSERT_EQ(locals.size(), 2U);
  EXPECT_EQ(locals[0].directory, "/rootfs");
  EXPECT_EQ(locals[1].directory, "/assets");
  EXPECT_FALSE(image_of(graph).base);
}

TEST(Lowering, RunsStepsOfSomeStagesAnew) {
  auto inputs = inputs_for();
  inputs.no_cache_stages = {"BUILD", "other"};
  const auto graph =
      plan_of("FROM debian:12 AS build\nRUN x\nFROM debian:12\nCOPY --from=build /x /\nRUN y\n", inputs);
  for (const auto& op : graph.ops)
    EXPECT_EQ(op.ignore_cache, op.title.starts_with("[build 2/")) << op.title;
}

TEST(Lowering, RunsStepsAnewWithoutCacheButMakesWorkingDirectoriesOnce) {
  auto inputs = inputs_for();
  inputs.no_cache = true;
  const auto graph = plan_of("FROM debian:12\nWORKDIR /w\nCOPY x /\nRUN x\n", inputs);
  for (const auto& op : graph.ops) {
    const bool anew = std::holds_alternative<Copy>(op.action) || std::holds_alternative<plan::Run>(op.action);
    EXPECT_EQ(op.ignore_cache, anew) << op.title;
  }
}

TEST(Lowering, ShowsTheLineWhoseBaseIsNotThere) {
  EXPECT_EQ(test::short_form(
                test::error_of([] { plan_of("FROM scratch AS a\nFROM nosuch:1\nCOPY --from=a / /\n"); })),
            "Dockerfile:2: nosuch:1: not found\nFROM nosuch:1\n     ^");
}

TEST(Lowering, RefusesATargetThatIsNotThere) {
  EXPECT_NE(test::error_of([] { plan_of("FROM scratch\n", inputs_for({"nosuch"})); }).find("nosuch"),
            std::string::npos);
}

// The warnings of a plan, also of one that fails.
Words warnings_of(std::string_view text, const Inputs& inputs, GivenImages images = {}) {
  Words warnings;
  test::error_of([&] {
    plan_of(text, inputs, images,
            [&](const dockerfile::Warning& warning) { warnings.push_back(warning.str()); });
  });
  return warnings;
}

TEST(Lowering, RefusesARunWithoutArguments) {
  EXPECT_EQ(test::short_form(test::error_of([] { plan_of("FROM scratch\nRUN []\n"); })),
            "Dockerfile:2: failed to marshal LLB definition: arguments are required\nRUN []");
  EXPECT_EQ(test::short_form(test::error_of([] { plan_of("FROM scratch AS a\nONBUILD RUN []\nFROM a\n"); })),
            "Dockerfile:3: failed to marshal LLB definition: arguments are required\nFROM a");
}

TEST(Lowering, WarnsOnceForAllPlatformsAndAlsoWhereItFails) {
  auto inputs = inputs_for();
  inputs.platforms.push_back({.os = "linux", .architecture = "arm64", .variant = ""});
  EXPECT_EQ(
      warnings_of("FROM scratch AS One\nWORKDIR x\n", inputs),
      (Words{
          "StageNameCasing: Stage name 'One' should be lowercase (line 1)",
          "WorkdirRelativePath: Relative workdir \"x\" can have unexpected results if the base image changes "
          "(line 2)"}));
  EXPECT_EQ(warnings_of("FROM scratch AS One\nCOPY --from=9 a b\n", inputs),
            (Words{"StageNameCasing: Stage name 'One' should be lowercase (line 1)"}));
}

TEST(Lowering, WarnsOfABaseOfAnotherPlatform) {
  GivenImages images;
  images.configs["docker.io/library/old:latest"] = R"({"architecture":"386","os":"linux","config":{}})";
  EXPECT_EQ(
      warnings_of("FROM old\n", inputs_for(), images),
      (Words{"InvalidBaseImagePlatform: Base image old was pulled with platform \"linux/386\", expected "
             "\"linux/amd64\" for current build (line 1)"}));
}

TEST(Lowering, GivesEachStageWhatItsParentEndedWith) {
  const auto graph = plan_of(
      "FROM scratch AS a\nENV x=1\nLABEL l=a\nFROM a AS b\nENV y=$x\nFROM a AS c\nLABEL l=c\n"
      "FROM b\nCOPY --from=c / /\n",
      inputs_for({"a", "b", "c", "b"}));
  const auto& b = test::image_of(graph, 1);
  EXPECT_EQ(b.config.env.back(), "y=1");
  EXPECT_EQ(b.config.labels.at("l"), "a");
  EXPECT_EQ(b.history.size(), 3u);
  EXPECT_EQ(test::image_of(graph, 0).config.env.back(), "x=1");
  EXPECT_EQ(test::image_of(graph, 2).config.labels.at("l"), "c");
  EXPECT_EQ(test::image_of(graph, 2).config.env.back(), "x=1");
  EXPECT_EQ(test::image_of(graph, 3).config.env, b.config.env);
}

}  // namespace
}  // namespace plan
