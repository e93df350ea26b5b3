// Warnings, rule by rule, and how they are silenced.
#include "common/dockerfile/lint.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"
#include "tests/support/short_form.hpp"
#include "tests/unit/common/dockerfile/frontend.hpp"

namespace {

using dockerfile::names_a_secret;
using test::warnings;
using test::Words;

struct Warned {
  const char* text;
  Words warnings;
};
void PrintTo(const Warned& warned, std::ostream* out) {
  *out << warned.text;
}

class Rules : public testing::TestWithParam<Warned> {};
TEST_P(Rules, Warn) {
  EXPECT_EQ(warnings(GetParam().text), GetParam().warnings);
}

INSTANTIATE_TEST_SUITE_P(
    All, Rules,
    testing::Values(
        Warned{"FROM scratch AS Build", {"StageNameCasing: Stage name 'Build' should be lowercase (line 1)"}},
        Warned{"FROM scratch as a", {"FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)"}},
        Warned{"from scratch AS a", {"FromAsCasing: 'AS' and 'from' keywords' casing do not match (line 1)"}},
        Warned{"FROM scratch\nENV a=b \\\n\n c=d", {"NoEmptyContinuation: Empty continuation line (line 4)"}},
        Warned{"FROM scratch\nenv a=b\nENV c=d",
               {"ConsistentInstructionCasing: Command 'env' should match the case of the command majority "
                "(uppercase) (line 2)"}},
        Warned{"from scratch\nenv a=b\nENV c=d",
               {"ConsistentInstructionCasing: Command 'ENV' should match the case of the command majority "
                "(lowercase) (line 3)"}},
        Warned{"FROM scratch\nEnv a=b",
               {"ConsistentInstructionCasing: Command 'Env' should match the case of the command majority "
                "(uppercase) (line 2)"}},
        Warned{"FROM scratch AS a\nFROM scratch AS a",
               {"DuplicateStageName: Duplicate stage name \"a\", stage names should be unique (line 2)"}},
        Warned{
            "FROM scratch AS scratch",
            {"ReservedStageName: Stage name should not use the same name as reserved stage \"scratch\" (line "
             "1)"}},
        Warned{
            "FROM scratch AS context",
            {"ReservedStageName: Stage name should not use the same name as reserved stage \"context\" (line "
             "1)"}},
        Warned{"FROM scratch\nCMD x",
               {"JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior "
                "related to "
                "OS signals (line 2)"}},
        Warned{"FROM scratch\nSHELL [\"/x\"]\nENTRYPOINT x", {}},
        Warned{
            "FROM scratch\nMAINTAINER x",
            {"MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)"}},
        Warned{"ARG FOO=x\nFROM ${FO:-scratch}",
               {"UndefinedArgInFrom: FROM argument 'FO' is not declared (did you mean FOO?) (line 2)"}},
        Warned{"FROM scratch\nWORKDIR a\nWORKDIR b",
               {"WorkdirRelativePath: Relative workdir \"a\" can have unexpected results if the base image "
                "changes "
                "(line 2)"}},
        Warned{"FROM scratch AS a\nWORKDIR /a\nFROM a\nWORKDIR b", {}},
        Warned{"FROM scratch\nENV FOO=1\nENV a=$FOOO b=$zzzzz",
               {"UndefinedVar: Usage of undefined variable '$FOOO' (did you mean $FOO?) (line 3)",
                "UndefinedVar: Usage of undefined variable '$zzzzz' (line 3)"}},
        Warned{"FROM scratch\nARG a\nENV b=$a", {}}, Warned{"FROM scratch\nEXPOSE 80$nope", {}},
        Warned{
            "FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]",
            {"MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage "
             "because only the last one will be used (line 2)",
             "MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage "
             "because only the last one will be used (line 3)"}},
        Warned{"FROM scratch AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]", {}},
        Warned{"FROM scratch\nENV a b",
               {"LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV key value\" "
                "format "
                "(line 2)"}},
        Warned{
            "FROM scratch\nLABEL a b",
            {"LegacyKeyValueFormat: \"LABEL key=value\" should be used instead of legacy \"LABEL key value\" "
             "format (line 2)"}},
        Warned{"FROM --platform=$TARGETPLATFORM scratch",
               {"RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is "
                "redundant as "
                "this is the default behavior (line 1)"}},
        Warned{"FROM --platform=linux/amd64 scratch",
               {"FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "
                "\"linux/amd64\" (line 1)"}},
        Warned{"FROM --platform=linux/amd64 scratch AS build-amd64", {}},
        Warned{
            "FROM scratch\nENV API_KEY=1\nARG GITHUB_TOKEN",
            {"SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV \"API_KEY\") "
             "(line 2)",
             "SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "
             "\"GITHUB_TOKEN\") (line 3)"}},
        Warned{"FROM scratch\nEXPOSE 80/TCP",
               {"ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase "
                "(line 2)"}},
        Warned{
            "FROM scratch\nEXPOSE 1:2",
            {"ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, "
             "found '1:2' (line 2)"}},
        Warned{"# a comment\nFROM scratch AS a", {}},
        Warned{"# check=experimental=all\n# a comment\nFROM scratch AS b",
               {"InvalidDefinitionDescription: Comment for FROM should follow the format: `# b "
                "<description>` (line "
                "3)"}},
        Warned{"# check=experimental=InvalidDefinitionDescription\nFROM scratch\n# x y\nARG a b",
               {"InvalidDefinitionDescription: Comment for ARG should follow the format: `# <arg_key> "
                "<description>` (line 4)"}},
        Warned{"FROM scratch AS a\nONBUILD CMD x\nFROM a",
               {"JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior "
                "related to "
                "OS signals (line 3)"}}));

TEST(Rules, JudgeDefaultsOfFromEvenWhereABuildArgIsGiven) {
  EXPECT_EQ(
      warnings("ARG X\nFROM $X", {{"X", "scratch"}}),
      Words{"InvalidDefaultArgInFrom: Default value for ARG $X results in empty or invalid base image name "
            "(line 2)"});
}

TEST(Silencing, CanBeForAllRulesOrSome) {
  const std::string text = "FROM scratch\nCMD x\nENV a b\n";
  EXPECT_EQ(warnings("# check=skip=all\n" + text), Words{});
  EXPECT_EQ(warnings("# check=skip=JSONArgsRecommended,LegacyKeyValueFormat\n" + text), Words{});
  EXPECT_EQ(warnings("# check=skip=JSONArgsRecommended, LegacyKeyValueFormat\n" + text).size(),
            1U);  // cut at the blank
}

TEST(Silencing, CanBeForOneInstructionWithAReason) {
  EXPECT_EQ(
      warnings(
          "FROM scratch\n# text\n# check=skip=JSONArgsRecommended we want a shell\nCMD x\n# check=skip=all\n"
          "ENV a b\nENV c d")
          .size(),
      1U);
}

TEST(Silencing, IsNotDoneByACommentThatIsClearedOrNoOption) {
  EXPECT_EQ(warnings("FROM scratch\n# check=skip=all\n#\nENV a b").size(), 1U);
  EXPECT_EQ(warnings("FROM scratch\n# check=nonsense\nENV a b").size(), 1U);
}

TEST(CheckOptions, MayComeFromOutside) {
  dockerfile::ParseOptions options;
  options.check = "error=true";
  const auto file = dockerfile::parse("# check=skip=all\nFROM scratch\nMAINTAINER x", options);
  EXPECT_EQ(file.lint.warnings().size(), 1U);
  EXPECT_EQ(file.lint.violation(), "lint violation found for rules: MaintainerDeprecated");
  EXPECT_FALSE(dockerfile::parse("# check=error=true\nFROM scratch").lint.violation());
}

TEST(CheckOptions, AreRefusedWithTheirPlace) {
  using test::fault;
  using test::short_form;
  EXPECT_EQ(short_form(fault("# escape=`\n# check=foo=bar\nFROM scratch")),
            "Dockerfile:2: failed to parse check options: invalid check option \"foo\"\n# check=foo=bar\n    "
            "    ^");
  EXPECT_EQ(
      short_form(fault("# check=foo\nFROM scratch")),
      "Dockerfile:1: failed to parse check options: invalid check option \"foo\"\n# check=foo\n        ^");
  dockerfile::ParseOptions options;
  options.check = "foo";
  EXPECT_EQ(test::error_of([&] { dockerfile::parse("FROM scratch", options); }),
            "Dockerfile: failed to parse build-arg:BUILDKIT_DOCKERFILE_CHECK: invalid check option \"foo\"");
  EXPECT_TRUE(fault("# check=error=maybe\nFROM scratch").find("invalid syntax") != std::string::npos);
}

TEST(Secrets, AreGuessedFromTheWordsOfAName) {
  for (const char* name :
       {"API_KEY", "apikey", "DB_PASSWORD", "my_pword", "AUTH", "x_token_y", "credentials"}) {
    EXPECT_TRUE(names_a_secret(name)) << name;
  }
  for (const char* name : {"KEYS", "MONKEY", "PUBLIC_KEY", "KEY_FILE", "TOKEN_VERSION", ""}) {
    EXPECT_FALSE(names_a_secret(name)) << name;
  }
}

}  // namespace
