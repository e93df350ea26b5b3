#include "common/plan/lower.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

// Knows every image but "missing". That of "triggers" has an ONBUILD, "old" is there for one platform alone.
class FakeImages : public plan::Images {
public:
  bool is_given(const std::string&) const override { return false; }

  void announce(const std::vector<plan::BaseImage>& bases) override {
    for (const auto& base : bases)
      asked.push_back("announced " + base.reference.familiar());
  }

  std::string config(const image::Reference& reference, const image::Platform& platform) override {
    asked.push_back(reference.familiar());
    if (reference.familiar() == "missing:latest") throw util::Error("no such image");
    const std::string on_build =
        reference.familiar() == "triggers:latest" ? R"("OnBuild":["COPY f /f"])" : "";
    const std::string architecture = reference.familiar() == "old:latest" ? "386" : platform.architecture;
    return R"({"architecture":")" + architecture + R"(","os":"linux","config":{)" + on_build + "}}";
  }

  std::vector<std::string> asked;
};

struct Plan {
  plan::Graph graph;
  std::vector<std::string> warnings;
  std::vector<std::string> asked;  // of images

  std::vector<std::string> titles() const {
    std::vector<std::string> titles;
    for (const auto& op : graph.ops) {
      if (!op.title.empty()) titles.push_back(op.title);
    }
    return titles;
  }

  int line_of(const std::string& title) const {
    const auto op = std::find_if(graph.ops.begin(), graph.ops.end(),
                                 [&](const plan::Op& each) { return each.title == title; });
    return op == graph.ops.end() ? -1 : op->location.first_line;
  }
};

class Lower : public testing::Test {
protected:
  Plan lower(const std::string& text) {
    Plan result;
    inputs.context = context_.path();
    inputs.dockerfile = context_.path() / "Dockerfile";
    if (inputs.targets.empty()) inputs.targets = {std::nullopt};
    if (inputs.platforms.empty()) inputs.platforms = {{"linux", "amd64", ""}};
    FakeImages images;
    const auto warn = [&](const dockerfile::Warning& warning) { warnings.push_back(warning.str()); };
    result.graph = plan::lower(dockerfile::parse(text), inputs, images, warn);
    result.warnings = warnings;
    result.asked = images.asked;
    return result;
  }

  std::string error_of(const std::string& text) {
    try {
      lower(text);
    } catch (const util::Error& error) {
      return error.what();
    }
    return "nothing is wrong";
  }

  plan::Inputs inputs;
  std::vector<std::string> warnings;

private:
  sys::TempDir context_{testing::TempDir()};
};

using Titles = std::vector<std::string>;

TEST_F(Lower, AnnouncesAllBasesBeforeItAsksForTheFirst) {
  const auto plan = lower("FROM a AS x\nFROM unused\nFROM scratch AS y\nFROM b\nCOPY --from=x / /\n");
  EXPECT_EQ(plan.asked, (Titles{"announced a:latest", "announced b:latest", "a:latest", "b:latest"}));
}

TEST_F(Lower, GivesEveryOpTheTitleAndThePlaceOfItsInstruction) {
  const auto plan = lower(
      "FROM busybox AS build\nENV A=1\nRUN make $A \\\n  all\n\nFROM scratch\nCOPY --from=build /x /\n"
      "COPY --from=other /y /\n");
  EXPECT_EQ(plan.titles(),
            (Titles{"[build 1/2] FROM docker.io/library/busybox:latest", "[build 2/2] RUN make 1   all",
                    "[stage-1 1/2] COPY --from=build /x /", "FROM docker.io/library/other:latest",
                    "[stage-1 2/2] COPY --from=other /y /"}));
  EXPECT_EQ(plan.line_of("[build 1/2] FROM docker.io/library/busybox:latest"), 1);
  EXPECT_EQ(plan.line_of("[build 2/2] RUN make 1   all"), 3);
  EXPECT_EQ(plan.line_of("[stage-1 1/2] COPY --from=build /x /"), 7);
  EXPECT_EQ(plan.line_of("FROM docker.io/library/other:latest"), 8);
  EXPECT_EQ(plan.graph.source.line(7), "COPY --from=build /x /");
}

TEST_F(Lower, PlacesTriggersAtTheFromThatFiresThem) {
  const auto plan = lower("FROM scratch AS unused\nFROM triggers\nRUN true\n");
  EXPECT_EQ(plan.titles(), (Titles{"[stage-1 1/3] FROM docker.io/library/triggers:latest",
                                   "[stage-1 2/3] ONBUILD COPY f /f", "[stage-1 3/3] RUN true"}));
  EXPECT_EQ(plan.line_of("[stage-1 2/3] ONBUILD COPY f /f"), 2);
}

TEST_F(Lower, PutsWhatSeveralTargetsShareIntoTheGraphOnce) {
  inputs.targets = {"one", "two"};
  const auto plan =
      lower("FROM busybox AS base\nRUN make\nFROM base AS one\nRUN one\nFROM base AS two\nRUN two\n");
  EXPECT_EQ(plan.titles(), (Titles{"[base 1/2] FROM docker.io/library/busybox:latest", "[base 2/2] RUN make",
                                   "[one 1/1] RUN one", "[two 1/1] RUN two"}));
  ASSERT_EQ(plan.graph.targets.size(), 2U);
  EXPECT_EQ(plan.graph.targets[0].images[0].history[0].layer,
            plan.graph.targets[1].images[0].history[0].layer);
}

TEST_F(Lower, NamesThePlatformInTitlesOfSeveral) {
  inputs.platforms = {{"linux", "amd64", ""}, {"linux", "arm64", ""}};
  inputs.several_platforms = true;
  EXPECT_EQ(lower("FROM scratch\nWORKDIR /x\n").titles(),
            (Titles{"[linux/amd64 1/1] WORKDIR /x", "[linux/arm64 1/1] WORKDIR /x"}));
}

TEST_F(Lower, ShowsTheFromOfAnImageThatIsNotThere) {
  EXPECT_EQ(error_of("FROM busybox\nFROM missing\n"),
            "Dockerfile:2: missing: no such image\nFROM missing\n     ^");
}

TEST_F(Lower, WarnsOnceForSeveralPlatformsAndAlsoWhereItFails) {
  inputs.platforms = {{"linux", "amd64", ""}, {"linux", "arm64", ""}};
  EXPECT_EQ(
      lower("FROM scratch AS One\nWORKDIR x\n").warnings,
      (Titles{
          "StageNameCasing: Stage name 'One' should be lowercase (line 1)",
          "WorkdirRelativePath: Relative workdir \"x\" can have unexpected results if the base image changes "
          "(line 2)"}));
  warnings.clear();
  error_of("FROM scratch AS One\nCOPY --from=9 a b\n");
  EXPECT_EQ(warnings, (Titles{"StageNameCasing: Stage name 'One' should be lowercase (line 1)"}));
}

TEST_F(Lower, WarnsOfABaseOfAnotherPlatform) {
  EXPECT_EQ(
      lower("FROM old\n").warnings,
      (Titles{"InvalidBaseImagePlatform: Base image old was pulled with platform \"linux/386\", expected "
              "\"linux/amd64\" for current build (line 1)"}));
}

}  // namespace
