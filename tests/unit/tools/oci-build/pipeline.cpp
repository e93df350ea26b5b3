// Stages as processes, with ordinary programs in the place of the siblings.
#include "tools/oci-build/pipeline.hpp"

#include <gtest/gtest.h>

#include "common/util/error.hpp"
#include "common/util/log.hpp"

namespace {

using oci_build::Pipeline;

int exit_code_of(const std::string& script) {
  Pipeline pipeline;
  try {
    pipeline.run("sh", {"-c", script});
  } catch (const util::Error& error) {
    return error.exit_code();
  }
  return 0;
}

std::string message_of(const std::string& tool, const std::vector<std::string>& arguments) {
  Pipeline pipeline;
  try {
    pipeline.run(tool, arguments);
  } catch (const util::Error& error) {
    return error.what();
  }
  return "";
}

TEST(Pipeline, HandsTheInputToTheStageAndReturnsWhatItPrints) {
  Pipeline pipeline;
  const std::string document(200'000, 'x');
  EXPECT_EQ(pipeline.run("cat", {}, document), document);
}

TEST(Pipeline, PassesArgumentsAsTheyAre) {
  Pipeline pipeline;
  EXPECT_EQ(pipeline.run("printf", {"%s|", "a b", "", "*"}), "a b||*|");
}

TEST(Pipeline, CallsTheToolsThatArePartsOfThisProgramAsTheirMainWould) {
  for (const std::string tool : {"oci-params", "oci-preload", "oci-digest", "oci-unpack"}) {
    Pipeline pipeline;
    EXPECT_TRUE(pipeline.run(tool, {"--version"}).starts_with(tool + " "));
    EXPECT_TRUE(pipeline.run(tool, {"--help"}).find("\nUsage: " + tool + " [OPTIONS]") != std::string::npos);
    EXPECT_EQ(message_of(tool, {"--absent"}), "stage " + tool + " exited with 2, nothing was exported");
  }
}

TEST(Pipeline, EndsWithTheExitCodeOfTheStage) {
  EXPECT_EQ(exit_code_of("exit 3"), 3);
}

TEST(Pipeline, EndsWith128PlusTheSignalThatKilledTheStage) {
  EXPECT_EQ(exit_code_of("kill -KILL $$"), 128 + 9);
}

TEST(Pipeline, NamesTheStageThatFailed) {
  EXPECT_EQ(message_of("false", {}), "stage false exited with 1, nothing was exported");
  EXPECT_EQ(message_of("sh", {"-c", "kill -KILL $$"}),
            "stage sh was killed by SIGKILL, nothing was exported");
}

TEST(Pipeline, NamesAToolThatIsNotInstalled) {
  EXPECT_EQ(message_of("oci-absent", {}), "cannot find the program 'oci-absent' beside this one or on PATH");
}

TEST(Pipeline, PassesVerbosityOn) {
  util::log::set_level(util::log::Level::debug);
  Pipeline pipeline;
  const auto printed = pipeline.run("echo", {"x"});
  util::log::set_level(util::log::Level::info);
  EXPECT_EQ(printed, "-v x\n");
}

TEST(Pipeline, TimesEachToolOnceHoweverOftenItRuns) {
  Pipeline pipeline;
  pipeline.run("true", {});
  pipeline.run("sleep", {"0.02"});
  pipeline.run("true", {});
  pipeline.run("sleep", {"0.02"});
  ASSERT_EQ(pipeline.stages().size(), 2U);
  EXPECT_EQ(pipeline.stages()[0].tool, "true");
  EXPECT_EQ(pipeline.stages()[1].tool, "sleep");
  EXPECT_GE(pipeline.stages()[1].duration.count(), 40);
}

}  // namespace
