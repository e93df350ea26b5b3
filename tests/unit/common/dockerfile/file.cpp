// Whole files: stages, global ARGs, descriptions, the language they ask for.
#include "common/dockerfile/file.hpp"

#include <gtest/gtest.h>

#include "tests/support/short_form.hpp"

namespace {

using namespace dockerfile;

std::string parse_fault(std::string_view text, const ParseOptions& options = {}) {
  try {
    parse(text, options);
  } catch (const util::Error& error) {
    return error.what();
  }
  return "";
}

TEST(File, IsGlobalArgsAndStages) {
  const auto file = parse("# escape=`\nARG a=1\nARG b\nFROM --platform=p x:1 AS Name\nRUN y\nfrom z\n");
  EXPECT_EQ(file.directives.escape, '`');
  ASSERT_EQ(file.global_args.size(), 2U);
  ASSERT_EQ(file.stages.size(), 2U);
  EXPECT_EQ(file.stages[0].base, "x:1");
  EXPECT_EQ(file.stages[0].name, "name");
  EXPECT_EQ(file.stages[0].platform, "p");
  EXPECT_EQ(file.stages[0].origin.location, (Location{4, 4}));
  EXPECT_EQ(file.stages[0].instructions.size(), 1U);
  EXPECT_EQ(file.stages[1].origin.keyword, "from");
  EXPECT_EQ(file.stages[1].name, "");
}

TEST(File, DescribesStagesInTheCommentsAboveThem) {
  const auto file = parse("# other\n# build makes it\nFROM x AS build\n# no name\nFROM y\n");
  EXPECT_EQ(file.stages[0].description, "makes it");
  EXPECT_EQ(file.stages[1].description, "");
}

TEST(File, ReportsWhatIsWrongWithItsLinesBeforeWhatIsWrongWithItsInstructions) {
  EXPECT_TRUE(
      parse_fault("FROM scratch\nRUUN x\nENV a\n").starts_with("Dockerfile:3: ENV must have two arguments"));
}

TEST(File, IsCalledWhatTheUserCallsIt) {
  ParseOptions options;
  options.name = "deploy/Dockerfile.prod";
  EXPECT_EQ(test::short_form(parse_fault("RUN x", options)),
            "deploy/Dockerfile.prod:1: no build stage in current context\nRUN x");
}

TEST(File, MayAskForTheBuiltInLanguageAndNoOther) {
  EXPECT_EQ(parse_fault("# syntax=docker/dockerfile:1.7-labs\nFROM scratch"), "");
  EXPECT_EQ(test::short_form(parse_fault("# syntax=my/frontend:1 x\nFROM scratch")),
            "Dockerfile:1: only the BuildKit engine can use the syntax image 'my/frontend:1': set "
            "ENGINE=buildkit\n# syntax=my/frontend:1 x\n         ^");
}

TEST(File, TakesTheLanguageFromABuildArgFirst) {
  ParseOptions options;
  options.syntax = "docker/dockerfile:1 more";
  EXPECT_EQ(parse_fault("# syntax=my/frontend\nFROM scratch", options), "");
  options.syntax = "my/other";
  EXPECT_EQ(parse_fault("FROM scratch", options),
            "Dockerfile: only the BuildKit engine can use the syntax image 'my/other': set ENGINE=buildkit");
}

}  // namespace
