// Instructions in their environment: what they come to, and their history entries.
#include "common/dockerfile/evaluate.hpp"

#include <gtest/gtest.h>

#include "tests/unit/common/dockerfile/frontend.hpp"

namespace {

using namespace dockerfile;
using test::evaluate;
using test::fault;
using test::history;
using test::Words;

// The last instruction of a stage "FROM scratch", expanded.
template <typename Kind>
Kind last(const std::string& instructions) {
  return std::get<Kind>(evaluate("FROM scratch\n" + instructions).steps.back().instruction);
}

Execution execution(const std::string& instructions) {
  return *evaluate("FROM scratch\n" + instructions).steps.back().execution;
}

TEST(Evaluate, LetsAnInstructionSeeOneEnvironment) {
  EXPECT_EQ(history("ENV a=old\nENV a=new b=$a\nENV c=$a"),
            (Words{"ENV a=old", "ENV a=new b=old", "ENV c=new"}));
}

TEST(Evaluate, LetsTheLaterOfEnvAndArgWin) {
  EXPECT_EQ(history("ENV a=1\nARG a=2\nENV b=$a").back(), "ENV b=2");
  EXPECT_EQ(history("ARG a=2\nENV a=1\nENV b=$a").back(), "ENV b=1");
}

TEST(Evaluate, ExpandsNamesAndValuesOfEnvAndLabel) {
  EXPECT_EQ(history("ENV k=n\nENV $k=v ${k}2=\"a b\"\nLABEL $k='$k'"),
            (Words{"ENV k=n", "ENV n=v n2=a b", "LABEL n=$k"}));
}

TEST(Evaluate, KeepsTheImagesVariablesAtTheirPlaces) {
  const auto state = evaluate("FROM scratch\nENV a=1 b=2\nENV a=3\nARG c=4\n").state;
  EXPECT_EQ(state.image_env,
            (Words{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "a=3", "b=2"}));
  EXPECT_EQ(state.environment.names(), (Words{"PATH", "b", "a", "c"}));
}

TEST(Evaluate, ExpandsArgDefaultsButNotTheirNames) {
  EXPECT_EQ(history("ENV e=1\nARG $e=x a=$e b=${a}2"), (Words{"ENV e=1", "ARG $e=x a=1 b=12"}));
}

TEST(Evaluate, ExpandsCopyButForItsExcludes) {
  const auto copy =
      last<Copy>("ENV a=x\nCOPY --chown=$a --chmod=u=rw --exclude=$a [\"$a\", \"${a} y\", \"/$a/\"]");
  EXPECT_EQ(copy.transfer.sources, (Words{"x", "x y"}));
  EXPECT_EQ(copy.transfer.destination, "/x/");
  EXPECT_EQ(copy.transfer.chown, "x");
  EXPECT_EQ(copy.transfer.excludes, Words{"$a"});
}

TEST(Evaluate, ExpandsTheChecksumOfAdd) {
  EXPECT_EQ(last<Add>("ENV a=x\nADD --checksum=sha256:$a http://h/f /").checksum, "sha256:x");
  EXPECT_NE(fault("FROM scratch\nADD --checksum=sha256:a b c /"), "");
}

TEST(Evaluate, ExpandsInlineFilesUnlessQuoted) {
  const auto copy = last<Copy>("ENV a=x\nCOPY <<ONE <<'TWO' /\n$a \"$a\" \\$a\nONE\n$a\nTWO\n");
  EXPECT_EQ(copy.transfer.inline_files[0].content, "x \"x\" $a\n");
  EXPECT_EQ(copy.transfer.inline_files[1].content, "$a\n");
}

TEST(Evaluate, TakesTheBackslashForTheEscapeInInlineFilesAlways) {
  const auto outcome = evaluate("# escape=`\nFROM scratch\nENV a=x\nCOPY <<E /\n\\$a `$a\nE\n");
  EXPECT_EQ(std::get<Copy>(outcome.steps.back().instruction).transfer.inline_files[0].content, "$a `x\n");
}

TEST(Evaluate, DoesNotExpandCommands) {
  EXPECT_EQ(
      history("ENV a=1\nCMD $a\nENTRYPOINT [\"$a\"]\nHEALTHCHECK CMD $a\nMAINTAINER $a\nSHELL [\"$a\"]"),
      (Words{"ENV a=1", "CMD [\"/bin/sh\" \"-c\" \"$a\"]", "ENTRYPOINT [\"$a\"]",
             "HEALTHCHECK {Test:[CMD-SHELL $a] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s "
             "Retries:0}",
             "MAINTAINER $a", "SHELL [$a]"}));
}

TEST(Evaluate, ExpandsMounts) {
  const auto run = last<dockerfile::Run>("WORKDIR /w\nENV t=cache\nRUN --mount=type=$t,target=x/$t true");
  EXPECT_EQ(run.mounts.front().type, MountType::cache);
  EXPECT_EQ(run.mounts.front().target, "/w/x/cache");
}

TEST(Workdir, IsRelativeToTheOneBefore) {
  EXPECT_EQ(history("WORKDIR a\nWORKDIR ../b/\nWORKDIR /c\nWORKDIR $nope\nWORKDIR \"x y\""),
            (Words{"WORKDIR /a", "WORKDIR /b", "WORKDIR /c", "WORKDIR /c", "WORKDIR /c/x y"}));
}

// Seen with the real one: only relative paths are cleaned.
TEST(Workdir, KeepsAnAbsolutePathAsItStands) {
  EXPECT_EQ(history("WORKDIR /a/../b//c/\nWORKDIR d"), (Words{"WORKDIR /a/../b//c/", "WORKDIR /b/c/d"}));
}

TEST(Expose, IsCutIntoWordsAgainOnceExpanded) {
  EXPECT_EQ(history("ENV p=\"81 82\"\nEXPOSE 90 $p 5-6/udp").back(),
            "EXPOSE [81/tcp 82/tcp 5/udp 6/udp 90/tcp]");
}

TEST(Volume, StopSignalAndUserAreExpanded) {
  EXPECT_EQ(history("ENV a=x s=TERM\nVOLUME /$a [b]\nSTOPSIGNAL SIG$s\nUSER $a:${g:-g}"),
            (Words{"ENV a=x s=TERM", "VOLUME [/x [b]]", "STOPSIGNAL SIGTERM", "USER x:g"}));
}

TEST(History, OfRunShowsTheArgsInEffectInTheirOrder) {
  EXPECT_EQ(history("ARG a=1\nARG b=\"x y\" c\nENV b=z\nRUN  echo  $a", {{"a", "9"}}).back(),
            "RUN |3 a=9 b=z c= /bin/sh -c echo  $a # buildkit");
  EXPECT_EQ(history("ARG a=1\nARG b=2\nARG a=3\nRUN x").back(), "RUN |2 a=3 b=2 /bin/sh -c x # buildkit");
  EXPECT_EQ(history("RUN [\"a b\", \"c\"]").back(), "RUN a b c # buildkit");
  EXPECT_EQ(history("RUN").back(), "RUN /bin/sh -c  # buildkit");
}

TEST(History, OfRunShowsArgsOfParentStages) {
  EXPECT_EQ(evaluate("FROM scratch AS a\nARG x=1\nFROM a\nARG y=2\nRUN z\n").history.back(),
            "RUN |2 x=1 y=2 /bin/sh -c z # buildkit");
}

TEST(History, OfRunDoesNotShowProxies) {
  EXPECT_EQ(history("RUN x", {{"HTTP_PROXY", "p"}}).back(), "RUN /bin/sh -c x # buildkit");
}

TEST(History, OfCopyAndAddShowsSomeFlagsOnly) {
  EXPECT_EQ(history("COPY --from=a --link --exclude=e --parents --chown=1:2 --chmod=755 a b /c").back(),
            "COPY --parents --chown=1:2 --chmod=755 a b /c # buildkit");
  EXPECT_EQ(history("ADD --keep-git-dir --unpack --link a <<E b /c\nx\nE\n").back(),
            "ADD a b <<E /c # buildkit");
}

TEST(History, OfOnbuildIsNone) {
  EXPECT_EQ(history("ONBUILD RUN x\nENV a=b"), Words{"ENV a=b"});
}

TEST(History, OfHealthcheckShowsDurations) {
  EXPECT_EQ(
      history("HEALTHCHECK --interval=90s --start-interval=1.5ms --retries=3 CMD [\"a\", \"b c\"]").back(),
      "HEALTHCHECK {Test:[CMD a b c] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:1.5ms "
      "Retries:3}");
  EXPECT_EQ(history("HEALTHCHECK NONE").back(),
            "HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}");
}

TEST(Execution, UsesTheShellOfTheStage) {
  EXPECT_EQ(execution("RUN a  b").arguments, (Words{"/bin/sh", "-c", "a  b"}));
  EXPECT_EQ(execution("SHELL [\"/x\", \"-e\"]\nRUN a").arguments, (Words{"/x", "-e", "a"}));
  EXPECT_EQ(execution("SHELL [\"/x\"]\nRUN [\"a\"]").arguments, Words{"a"});
  EXPECT_EQ(execution("SHELL [\"/x\"]\nCMD a").arguments, (Words{"/x", "a"}));
  EXPECT_EQ(execution("CMD []").arguments, Words{});
  EXPECT_EQ(execution("CMD").arguments, (Words{"/bin/sh", "-c", ""}));
}

TEST(Execution, TakesAHeredocAloneForTheScript) {
  EXPECT_EQ(execution("RUN <<EOF\n\techo $a\nEOF\n").arguments.back(), "\techo $a\n");
  EXPECT_EQ(execution("RUN <<-EOF\n\techo\n\tEOF\n").arguments.back(), "echo\n");
  EXPECT_EQ(execution("RUN << EOF\nx\nEOF\n").arguments.back(), "x\n");
}

TEST(Execution, MakesAFileOfAHeredocThatNamesItsInterpreter) {
  const auto run = execution("RUN <<EOF\n#!/bin/x\ny\nEOF\n");
  EXPECT_EQ(run.arguments, (Words{"/bin/sh", "-c", "/dev/pipes/EOF"}));
  EXPECT_EQ(run.script->name, "EOF");
  EXPECT_EQ(run.script->content, "#!/bin/x\ny\n");
}

TEST(Execution, LeavesOtherHeredocsToTheShell) {
  EXPECT_EQ(execution("RUN cat <<A 3<<-B\n$x\nA\n\ty\n\tB\n").arguments.back(),
            "cat <<A 3<<-B\n$x\nA\n\ty\nB");
}

TEST(State, OfABaseImageGetsAPathAndAnAbsoluteWorkingDirectory) {
  const auto state = StageState::from_image({"A=1", "B"}, "w", {"/x"});
  EXPECT_EQ(state.image_env.back(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  EXPECT_EQ(state.environment.get("B"), "");
  EXPECT_EQ(state.shell, Words{"/x"});
  EXPECT_EQ(StageState::from_image({"PATH=/p"}, "", {}).image_env, Words{"PATH=/p"});
  EXPECT_EQ(StageState::from_scratch().working_dir, "/");
}

}  // namespace
