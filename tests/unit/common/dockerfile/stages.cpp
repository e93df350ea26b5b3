// Stages, targets, and the scopes of ARGs.
#include "common/dockerfile/stages.hpp"

#include <gtest/gtest.h>

#include "tests/unit/common/dockerfile/frontend.hpp"

namespace {

using namespace dockerfile;
using test::evaluate;
using test::fault;
using test::Words;
using Indices = std::vector<StageIndex>;

// A file with its graph; BuildInputs are linux/amd64 for everything.
struct Graph {
  explicit Graph(const std::string& text, const std::set<std::string>& contexts = {},
                 const std::map<std::string, std::string>& build_args = {})
      : file(parse(text)),
        scope(file, BuildInputs{build_args, {"linux", "amd64", ""}, {"linux", "arm64", ""}, ""}),
        graph(
            file, scope, [&](const std::string& name) { return contexts.contains(name); }, lint) {}

  File file;
  Lint lint;
  GlobalScope scope;
  StageGraph graph;
};

TEST(Stages, StartFromScratchAnImageOrAnEarlierStage) {
  const Graph file("FROM scratch\nFROM debian:12 AS a\nFROM a AS b\nFROM later\nFROM x AS later\n");
  const auto& stages = file.graph.stages();
  EXPECT_EQ(stages[0].base, "scratch");
  EXPECT_FALSE(stages[0].parent);
  EXPECT_EQ(stages[1].base, "debian:12");
  EXPECT_EQ(stages[2].parent, 1U);
  EXPECT_FALSE(stages[3].parent);  // a later stage is none yet
}

TEST(Stages, AreFoundByTheirLastNameAndInLowerCaseOnly) {
  const Graph file("FROM scratch AS a\nFROM scratch AS A\nFROM a\n");
  EXPECT_EQ(file.graph.stages()[2].parent, 1U);
  EXPECT_NE(fault("FROM scratch AS a\nFROM A\n"), "");
}

TEST(Stages, HaveTitlesUnlessThereIsOneAlone) {
  const Graph two("FROM scratch\nFROM scratch AS x\n");
  EXPECT_EQ(two.graph.stages()[0].title, "stage-0");
  EXPECT_EQ(two.graph.stages()[1].title, "x");
  EXPECT_EQ(Graph("FROM scratch AS x\nCOPY a /b\n").graph.stages()[0].title, "");
  EXPECT_EQ(Graph("FROM scratch AS x\nCOPY --from=debian a /b\n").graph.stages()[0].title, "x");
}

TEST(Stages, HaveAPlatformThatMayBeAVariable) {
  const Graph file("FROM --platform=$BUILDPLATFORM scratch\nFROM scratch\n");
  EXPECT_EQ(file.graph.stages()[0].platform->str(), "linux/amd64");
  EXPECT_FALSE(file.graph.stages()[1].platform);
  EXPECT_TRUE(fault("FROM --platform=$NOPE scratch")
                  .starts_with("Dockerfile:1: empty platform value from expression $NOPE"));
  EXPECT_TRUE(fault("FROM --platform=$BUILDPLATFROM scratch").find("(did you mean BUILDPLATFORM?)") !=
              std::string::npos);
  EXPECT_TRUE(
      fault("FROM --platform=a/b/c/d scratch").starts_with("Dockerfile:1: failed to parse platform a/b"));
}

TEST(Stages, GiveWayToNamedContexts) {
  const Graph file("FROM scratch AS a\nRUN x\nFROM scratch AS b\nCOPY --from=a x y\n", {"a"});
  EXPECT_TRUE(file.graph.stages()[0].named_context);
  EXPECT_TRUE(file.graph.instructions(0).empty());
}

TEST(Targets, AreNamesInAnyCaseAndByDefaultTheLastStage) {
  const Graph file("FROM scratch AS a\nFROM scratch AS b\nFROM scratch\n");
  EXPECT_EQ(file.graph.target(""), 2U);
  EXPECT_EQ(file.graph.target("A"), 0U);
  EXPECT_THROW(file.graph.target("0"), util::Error);
  EXPECT_THROW(file.graph.target("stage-2"), util::Error);
}

TEST(Targets, NeedWhatTheyStartFromCopyFromAndMount) {
  const Graph file(
      "FROM scratch AS a\nFROM scratch AS b\nFROM scratch AS c\nFROM a AS d\nRUN --mount=from=b,target=/x y\n"
      "COPY --from=debian:12 x y\nFROM scratch AS e\nCOPY --from=1 x y\nFROM scratch\n");
  EXPECT_EQ(file.graph.needed_for({file.graph.target("d")}), (Indices{0, 1, 3}));
  EXPECT_EQ(file.graph.needed_for({file.graph.target("e")}), (Indices{1, 4}));
  EXPECT_EQ(file.graph.needed_for({file.graph.target("d"), file.graph.target("")}), (Indices{0, 1, 3, 5}));
}

TEST(Targets, DoNotCareAboutTheOrderOfWhatTheyDoNotNeed) {
  const Graph file("FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\n");
  EXPECT_EQ(file.graph.needed_for({1}), Indices{1});
  EXPECT_THROW(file.graph.needed_for({0}), util::Error);
}

TEST(Providers, AreStagesByNameInAnyCaseAndForCopyByNumber) {
  const Graph file("FROM scratch AS a\nFROM scratch\n");
  EXPECT_EQ(file.graph.copy_provider("A"), Provider(StageIndex{0}));
  EXPECT_EQ(file.graph.copy_provider("1"), Provider(StageIndex{1}));
  EXPECT_EQ(file.graph.copy_provider("debian"), Provider("debian"));
  EXPECT_EQ(file.graph.mount_provider("a"), Provider(StageIndex{0}));
  EXPECT_EQ(file.graph.mount_provider("1"), Provider("1"));
  EXPECT_THROW(file.graph.copy_provider("2"), SyntaxError);
  EXPECT_THROW(file.graph.copy_provider("-1"), SyntaxError);
}

TEST(Cycles, AreRefusedEvenWhereNoTargetNeedsThem) {
  EXPECT_TRUE(
      fault("FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nCOPY --from=a x y\nFROM scratch\n")
          .starts_with("Dockerfile:4: circular dependency detected on stage: a\n"));
}

TEST(Onbuild, FiresInStagesThatStartFromItsStage) {
  const auto outcome = evaluate(
      "FROM scratch AS base\nENV a=1\nONBUILD ENV b=$a\nONBUILD WORKDIR /x\nFROM base AS mid\nENV c=$b\n"
      "FROM mid\n");
  EXPECT_EQ(outcome.history, (Words{"ENV a=1", "ENV b=1", "WORKDIR /x", "ENV c=1"}));
}

TEST(Onbuild, MayNeedMoreStages) {
  Graph file("FROM scratch AS src\nFROM debian AS a\n");
  file.graph.add_triggers(1, {"COPY --from=src x y", "RUN z"});
  EXPECT_EQ(file.graph.instructions(1).size(), 2U);
  EXPECT_EQ(file.graph.needed_for({1}), (Indices{0, 1}));
  EXPECT_EQ(origin(file.graph.instructions(1)[0]).location, (Location{2, 2}));
}

TEST(Onbuild, RefusesATriggerThatIsNoSingleInstruction) {
  Graph file("FROM debian AS a\n");
  EXPECT_THROW(file.graph.add_triggers(0, {"RUN a\nRUN b"}), util::Error);
  EXPECT_THROW(file.graph.add_triggers(0, {""}), util::Error);
}

TEST(GlobalArgs, AreSeenByFromAndInStagesThatDeclareThem) {
  const auto outcome = evaluate("ARG b=scr\nARG base=${b}atch v=1\nFROM $base\nARG v\nENV x=$v y=[$b]\n");
  EXPECT_EQ(outcome.history, (Words{"ARG v=1", "ENV x=1 y=[]"}));
}

TEST(GlobalArgs, YieldToBuildArgs) {
  EXPECT_EQ(fault("ARG b=Upper\nFROM $b", {{"b", "scratch"}}), "");
}

TEST(Args, TakeABuildArgBeforeTheirDefaultBeforeTheGlobalOne) {
  const std::string text = "ARG a=global\nFROM scratch\nARG a=own\n";
  EXPECT_EQ(evaluate(text, {{"a", "given"}}).history, Words{"ARG a=given"});
  EXPECT_EQ(evaluate(text).history, Words{"ARG a=own"});
  EXPECT_EQ(evaluate("ARG a=global\nFROM scratch\nARG a\n").history, Words{"ARG a=global"});
  EXPECT_EQ(evaluate("FROM scratch\nARG a\n").history, Words{"ARG a"});
  EXPECT_EQ(evaluate(text, {{"a", ""}}).history, Words{"ARG a="});
}

TEST(Args, KnowThePlatformsOnceDeclared) {
  const auto outcome = evaluate(
      "FROM scratch\nENV x=[$TARGETARCH]\nARG BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT TARGETPLATFORM "
      "TARGETOS "
      "TARGETARCH TARGETVARIANT TARGETSTAGE BUILDOSVERSION TARGETOSVERSION\n");
  EXPECT_EQ(outcome.history,
            (Words{"ENV x=[]",
                   "ARG BUILDPLATFORM=linux/amd64 BUILDOS=linux BUILDARCH=amd64 BUILDVARIANT= "
                   "TARGETPLATFORM=linux/arm/v7 TARGETOS=linux TARGETARCH=arm TARGETVARIANT=v7 "
                   "TARGETSTAGE=default BUILDOSVERSION= TARGETOSVERSION="}));
}

TEST(Args, OfThePlatformYieldToBuildArgs) {
  EXPECT_EQ(evaluate("FROM scratch\nARG TARGETOS\n", {{"TARGETOS", "beos"}}).history,
            Words{"ARG TARGETOS=beos"});
}

TEST(Args, NameTheTargetStage) {
  const std::string text = "FROM scratch AS a\nARG TARGETSTAGE\nFROM a AS b\n";
  EXPECT_EQ(evaluate(text, {}, "a").history, Words{"ARG TARGETSTAGE=a"});
  EXPECT_EQ(evaluate(text).history, Words{"ARG TARGETSTAGE=b"});
}

TEST(Args, OfAParentStageFlowIntoItsChildren) {
  EXPECT_EQ(evaluate("FROM scratch AS a\nARG x=1\nFROM a\nENV y=$x\n").state.environment.get("y"), "1");
}

TEST(Args, OfAParentStageNoLongerHideItsVariables) {
  EXPECT_EQ(evaluate("FROM scratch AS a\nENV x=env\nARG x=arg\nENV y=$x\nFROM a\nENV z=$x\n").history.back(),
            "ENV z=env");
}

TEST(Args, ThatSteerTheBuilderStayOutOfTheEnvironment) {
  const auto outcome = evaluate("FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=true\n");
  EXPECT_FALSE(outcome.state.environment.get("BUILDKIT_SBOM_SCAN_STAGE"));
}

TEST(ProxySettings, AreTakenFromBuildArgsInAnyCase) {
  const std::map<std::string, std::string> expected = {{"HTTP_PROXY", "a"}, {"NO_PROXY", "b"}};
  EXPECT_EQ(proxy_settings({{"http_proxy", "a"}, {"No_Proxy", "b"}, {"other", "c"}}), expected);
  EXPECT_EQ(proxy_settings({{"HTTP_PROXY", "upper"}, {"http_proxy", "lower"}}).at("HTTP_PROXY"), "lower");
}

}  // namespace
