// The errors that people see: BuildKit's words, the place, the lines and a caret.
#include <gtest/gtest.h>

#include <string>

#include "common/dockerfile/source.hpp"
#include "common/util/text.hpp"
#include "tests/support/short_form.hpp"
#include "tests/unit/common/dockerfile/frontend.hpp"

namespace {

using test::fault;
using test::short_form;

struct Diagnostic {
  const char* name;
  const char* text;
  const char* message;
};
void PrintTo(const Diagnostic& diagnostic, std::ostream* out) {
  *out << diagnostic.name;
}

class Diagnostics : public testing::TestWithParam<Diagnostic> {};

TEST_P(Diagnostics, Read) {
  EXPECT_EQ(short_form(fault(GetParam().text)), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Golden, Diagnostics,
    testing::Values(
        Diagnostic{"unknown instruction", "FROM scratch\nRUUN x\n",
                   "Dockerfile:2: unknown instruction: RUUN (did you mean RUN?)\nRUUN x\n^"},
        Diagnostic{"unknown and far", "FROM scratch\n  FOOBARBAZ x\n",
                   "Dockerfile:2: unknown instruction: FOOBARBAZ\n  FOOBARBAZ x\n  ^"},
        Diagnostic{"no instruction", "# nothing\n", "Dockerfile:1: file with no instructions\n# nothing"},
        Diagnostic{"empty", "", "Dockerfile: the Dockerfile cannot be empty"},
        Diagnostic{"no stage", "RUN x\n", "Dockerfile:1: no build stage in current context\nRUN x"},
        Diagnostic{"only args", "ARG x\n", "Dockerfile: dockerfile contains no stages to build"},
        Diagnostic{"bad escape", "# escape=x\nFROM scratch\n",
                   "Dockerfile:1: invalid escape token 'x' does not match ` or \\\n# escape=x\n         ^"},
        Diagnostic{"blank base", "FROM $X\n",
                   "Dockerfile:1: base name ($X) should not be blank\nFROM $X\n     ^"},
        Diagnostic{"env alone", "FROM scratch\nENV a\n", "Dockerfile:2: ENV must have two arguments\nENV a"},
        Diagnostic{"env without equals", "FROM scratch\nENV a=b \\\n  c=de e\n",
                   "Dockerfile:3: Syntax error - can't find = in \"e\". Must be of the form: name=value\n"
                   "  c=de e\n       ^"},
        Diagnostic{
            "bad substitution", "FROM scratch\nENV a=${}\n",
            "Dockerfile:2: failed to process \"${}\": syntax error: bad substitution\nENV a=${}\n      ^"},
        Diagnostic{"bad modifier", "FROM scratch\nENV a=${b:x}\n",
                   "Dockerfile:2: failed to process \"${b:x}\": unsupported modifier (:x) in substitution\n"
                   "ENV a=${b:x}\n      ^"},
        Diagnostic{"open quote", "FROM scratch\nENV a=\"b\n",
                   "Dockerfile:2: failed to process \"\\\"b\": unexpected end of statement while looking for "
                   "matching double-quote\nENV a=\"b\n      ^"},
        Diagnostic{
            "required variable", "FROM scratch\nENV a=${b:?is needed}\n",
            "Dockerfile:2: Syntax error - can't find = in \"needed}\". Must be of the form: name=value\n"
            "ENV a=${b:?is needed}\n              ^"},
        Diagnostic{"required and quoted", "FROM scratch\nENV a=\"${b:?is needed}\"\n",
                   "Dockerfile:2: failed to process \"\\\"${b:?is needed}\\\"\": b: is needed\n"
                   "ENV a=\"${b:?is needed}\"\n      ^"},
        Diagnostic{"duplicate flag", "FROM scratch\nCOPY --chown=1 --chown=2 a b\n",
                   "Dockerfile:2: duplicate flag specified: --chown\nCOPY --chown=1 --chown=2 a b\n     ^"},
        Diagnostic{"unknown flag", "FROM scratch\nCOPY --chwon=1 a b\n",
                   "Dockerfile:2: unknown flag: --chwon (did you mean chown?)\nCOPY --chwon=1 a b\n     ^"},
        Diagnostic{"no destination", "FROM scratch\nCOPY f\n",
                   "Dockerfile:2: COPY requires at least two arguments, but only one was provided. "
                   "Destination could not be determined\nCOPY f"},
        Diagnostic{
            "chmod", "FROM scratch\nCOPY --chmod=99999 a b\n",
            "Dockerfile:2: invalid chmod parameter: '99999'. it should be octal string and between 0 and "
            "07777\nCOPY --chmod=99999 a b\n             ^"},
        Diagnostic{"copy from itself", "FROM scratch AS a\nCOPY --from=a x y\n",
                   "Dockerfile:2: circular dependency detected on stage: a\nCOPY --from=a x y"},
        Diagnostic{"copy from later", "FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nFROM a\n",
                   "Dockerfile:2: cannot copy from stage \"b\", it needs to be defined before current stage "
                   "\"a\"\nCOPY --from=b x y\n            ^"},
        Diagnostic{"mount from later",
                   "FROM scratch AS a\nRUN --mount=from=b,target=/x y\nFROM scratch AS b\nFROM a\n",
                   "Dockerfile:2: cannot mount from stage \"b\" to \"/x\", stage needs to be defined before "
                   "current command\nRUN --mount=from=b,target=/x y\n                 ^"},
        Diagnostic{
            "variable in from", "FROM scratch\nCOPY --from=$S a b\n",
            "Dockerfile:2: variable expansion is not supported for --from, define a new stage with FROM "
            "using ARG from global scope as a workaround\nCOPY --from=$S a b\n            ^"},
        Diagnostic{"open heredoc", "FROM scratch\nRUN <<EOF\nx\n",
                   "Dockerfile:2: unterminated heredoc\nRUN <<EOF\n    ^"},
        Diagnostic{"trigger from", "FROM scratch\nONBUILD FROM x\n",
                   "Dockerfile:2: FROM isn't allowed as an ONBUILD trigger\nONBUILD FROM x\n        ^"},
        Diagnostic{"trigger chain", "FROM scratch\nONBUILD ONBUILD RUN x\n",
                   "Dockerfile:2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed\nONBUILD ONBUILD RUN "
                   "x"},
        Diagnostic{"stage name", "FROM x AS 1a\n",
                   "Dockerfile:1: invalid name for build stage: \"1a\", name can't start with a number or "
                   "contain symbols\nFROM x AS 1a\n          ^"},
        Diagnostic{"short interval", "FROM scratch\nHEALTHCHECK --interval=1us CMD x\n",
                   "Dockerfile:2: Interval \"interval\" cannot be less than 1ms\n"
                   "HEALTHCHECK --interval=1us CMD x\n            ^"},
        Diagnostic{"signal", "FROM scratch\nSTOPSIGNAL SIGFOO\n",
                   "Dockerfile:2: invalid signal: SIGFOO\nSTOPSIGNAL SIGFOO\n           ^"},
        Diagnostic{"port", "FROM scratch\nEXPOSE 80 abc\n",
                   "Dockerfile:2: invalid containerPort: abc\nEXPOSE 80 abc\n          ^"},
        Diagnostic{"shell", "FROM scratch\nSHELL text\n",
                   "Dockerfile:2: SHELL requires the arguments to be in JSON form\nSHELL text"},
        Diagnostic{"json", "FROM scratch\nCMD [\"a\", 1]\n",
                   "Dockerfile:2: when using JSON array syntax, arrays must be comprised of strings only\n"
                   "CMD [\"a\", 1]\n    ^"},
        Diagnostic{"mount type", "FROM scratch\nRUN --mount=type=cach,target=/x y\n",
                   "Dockerfile:2: unsupported mount type \"cach\" (did you mean cache?)\n"
                   "RUN --mount=type=cach,target=/x y\n            ^"},
        Diagnostic{"mount key", "FROM scratch\nRUN --mount=targt=/x y\n",
                   "Dockerfile:2: unexpected key 'targt' in 'targt=/x' (did you mean target?)\n"
                   "RUN --mount=targt=/x y\n            ^"},
        Diagnostic{"network", "FROM scratch\nRUN --network=foo x\n",
                   "Dockerfile:2: invalid network mode \"foo\"\nRUN --network=foo x\n    ^"},
        Diagnostic{"device", "FROM scratch\nRUN --device=foo x\n",
                   "Dockerfile:2: only the BuildKit engine can give devices to a step: set ENGINE=buildkit\n"
                   "RUN --device=foo x\n    ^"},
        Diagnostic{"blank arg", "FROM scratch\nARG =x\n",
                   "Dockerfile:2: ARG names can not be blank\nARG =x\n    ^"},
        Diagnostic{"blank volume", "FROM scratch\nVOLUME [\"\"]\n",
                   "Dockerfile:2: VOLUME specified can not be an empty string\nVOLUME [\"\"]"},
        Diagnostic{"trigger's fault shows its FROM", "FROM scratch AS a\nONBUILD COPY --foo x y\nFROM a\n",
                   "Dockerfile:3: unknown flag: --foo (did you mean from?)\nFROM a"},
        Diagnostic{
            "upper case image", "FROM Debian\n",
            "Dockerfile:1: failed to parse stage name \"Debian\": invalid reference format: repository "
            "name (library/Debian) must be lowercase\nFROM Debian\n     ^"}));

TEST(Diagnostics, NameATargetThatIsMissing) {
  EXPECT_EQ(fault("FROM scratch AS build\n", {}, "nope"), "target stage \"nope\" could not be found");
  EXPECT_EQ(fault("FROM scratch AS build\n", {}, "biuld"),
            "target stage \"biuld\" could not be found (did you mean build?)");
}

TEST(Diagnostics, AreQuietAboutWhatBuildKitAccepts) {
  for (const char* instruction : {"RUN", "LABEL \"\"=x", "COPY a b /newfile", "COPY --chown=nosuch a /b",
                                  "USER nosuch", "VOLUME [/x]", "RUN [ 'a' ]", "ARG --dropped x"}) {
    EXPECT_EQ(fault(std::string("FROM scratch\n") + instruction, {{"unused", "x"}}), "") << instruction;
  }
}

TEST(Diagnostics, ShowBytesThatATerminalWouldObeyAsEscapes) {
  EXPECT_EQ(short_form(fault("FROM scratch\nF\x1b[2J\tx\xff\n")),
            "Dockerfile:2: unknown instruction: F\\x1b[2J\nF\\x1b[2J x\\xff\n^");
}

TEST(Diagnostics, CutLinesThatAreVeryLong) {
  const std::string message = short_form(
      fault("FROM scratch\nENV " + std::string(500, 'a') + "=1 b=${} " + std::string(500, 'c') + "=2\n"));
  EXPECT_LT(message.size(), 400U);
  const auto caret = message.rfind('^') - message.rfind('\n') - 1;
  const auto line = message.substr(0, message.rfind('\n'));
  EXPECT_EQ(line.substr(line.rfind('\n') + 1 + caret, 3), "${}");
}

TEST(Diagnostics, PointAtTheRightColumnBehindWideCharacters) {
  EXPECT_EQ(
      short_form(fault("FROM scratch\nENV é=日 b=${}\n")),
      "Dockerfile:2: failed to process \"${}\": syntax error: bad substitution\nENV é=日 b=${}\n          ^");
}

// The numbers of the lines that are shown, those that are marked with '>'.
std::string shown_lines(int count, dockerfile::Location location) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "x\n";
  const auto error = dockerfile::Source("Dockerfile", text).describe(location, "message");
  std::string shown;
  for (const auto& line : util::split(error, '\n')) {
    const auto bar = line.find(" | ");
    if (bar != std::string::npos)
      shown += line.substr(0, bar) + (line.substr(bar).starts_with(" | >>>") ? ">" : "");
  }
  return shown;
}

TEST(Diagnostics, ShowAsManyLinesAroundAsBuildKitDoes) {
  EXPECT_EQ(shown_lines(9, {5, 5}), "   3   4   5>   6   7");
  EXPECT_EQ(shown_lines(9, {4, 6}), "   3   4>   5>   6>   7");
  EXPECT_EQ(shown_lines(9, {1, 1}), "   1>   2   3");
  EXPECT_EQ(shown_lines(9, {1, 2}), "   1>   2>   3");
  EXPECT_EQ(shown_lines(9, {9, 9}), "   7   8   9>  10");
  EXPECT_EQ(shown_lines(1, {1, 1}), "   1>   2");
  EXPECT_EQ(shown_lines(1001, {1000, 1001}), " 999 1000> 1001> 1002");
  EXPECT_EQ(shown_lines(1, {3, 3}), "");
}

TEST(Diagnostics, MarkEveryLineOfAnInstruction) {
  EXPECT_EQ(fault("FROM scratch\n\nCOPY --chwon=1 <<EOF /x\n\ttext\nEOF\nENV a=b\n"),
            "Dockerfile:3: unknown flag: --chwon (did you mean chown?)\n"
            "--------------------\n"
            "   2 |     \n"
            "   3 | >>> COPY --chwon=1 <<EOF /x\n"
            "     |          ^\n"
            "   4 | >>>  text\n"
            "   5 | >>> EOF\n"
            "   6 |     ENV a=b\n"
            "--------------------");
  EXPECT_EQ(
      fault("FROM scratch\r\nCOPY \\\r\n  # comment\r\n  a\r\nENV a=b"),
      "Dockerfile:2: COPY requires at least two arguments, but only one was provided. Destination could not "
      "be determined\n"
      "--------------------\n"
      "   1 |     FROM scratch\n"
      "   2 | >>> COPY \\\n"
      "   3 | >>>   # comment\n"
      "   4 | >>>   a\n"
      "   5 |     ENV a=b\n"
      "--------------------");
}

TEST(Diagnostics, StopAtALineThatIsTooLong) {
  EXPECT_TRUE(fault("FROM scratch\nRUN " + std::string(70000, 'x'))
                  .starts_with("Dockerfile:2: dockerfile line greater than max allowed size of 65535\n"));
}

}  // namespace
