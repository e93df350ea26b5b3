// Typed instructions as they come out of the parser.
#include "common/dockerfile/instruction.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/file.hpp"

namespace {

using namespace dockerfile;
using Words = std::vector<std::string>;
using namespace std::chrono_literals;

template <typename Kind>
Kind parsed(const std::string& text) {
  const File file = parse("FROM scratch\n" + text);
  return std::get<Kind>(file.stages.front().instructions.front());
}

TEST(Instruction, KeepsItsOriginInAnyCase) {
  const auto env = parsed<Env>("# one\n  eNv a=b \\\n c=d  ");
  EXPECT_EQ(env.origin.keyword, "eNv");
  EXPECT_EQ(env.origin.code, "eNv a=b  c=d");
  EXPECT_EQ(env.origin.location, (Location{3, 4}));
  EXPECT_EQ(env.origin.comments, Words{"one"});
}

TEST(Copy, HasSourcesDestinationAndFlags) {
  const auto copy = parsed<Copy>(
      "COPY --from=x --chown=1:2 --chmod=755 --link --parents --exclude=a --exclude=b s1 s2 /d/");
  EXPECT_EQ(copy.from, "x");
  EXPECT_TRUE(copy.parents);
  EXPECT_EQ(copy.transfer.sources, (Words{"s1", "s2"}));
  EXPECT_EQ(copy.transfer.destination, "/d/");
  EXPECT_EQ(copy.transfer.chown, "1:2");
  EXPECT_EQ(copy.transfer.chmod, "755");
  EXPECT_TRUE(copy.transfer.link);
  EXPECT_EQ(copy.transfer.excludes, (Words{"a", "b"}));
}

TEST(Copy, MayBeAJsonArray) {
  EXPECT_EQ(parsed<Copy>("COPY [\"a b\", \"/c\"]").transfer.sources, Words{"a b"});
}

TEST(Copy, TakesWordsWhereTheArrayIsMalformed) {
  EXPECT_EQ(parsed<Copy>("COPY [a, b]").transfer.sources, Words{"[a,"});
}

TEST(Copy, HasFilesWhoseContentStandsInHeredocs) {
  const auto copy = parsed<Copy>("COPY a <<ONE <<-\"TWO\" /d/\n\t$x\nONE\n\t\ty\n\tTWO\n");
  EXPECT_EQ(copy.transfer.sources, Words{"a"});
  EXPECT_EQ(copy.transfer.inline_files,
            (std::vector<InlineFile>{{"ONE", "\t$x\n", true}, {"TWO", "y\n", false}}));
  EXPECT_EQ(copy.origin.location, (Location{2, 6}));
}

TEST(Add, HasFlagsOfItsOwn) {
  const auto add = parsed<Add>("ADD --keep-git-dir --checksum=sha256:x --unpack=false a /b");
  EXPECT_EQ(add.keep_git_dir, true);
  EXPECT_EQ(add.unpack, false);
  EXPECT_EQ(add.checksum, "sha256:x");
  EXPECT_FALSE(parsed<Add>("ADD a /b").unpack);
}

TEST(Add, HasNoFrom) {
  EXPECT_THROW(parsed<Add>("ADD --from=x a /b"), util::Error);
}

TEST(Arg, DeclaresNamesWithAndWithoutDefaults) {
  const auto arg = parsed<Arg>("# a the first\n# b the second\nARG a b= c=\"x y\"");
  EXPECT_EQ(arg.declarations,
            (std::vector<Declaration>{
                {"a", std::nullopt, "the first"}, {"b", "", "the second"}, {"c", "\"x y\"", ""}}));
}

TEST(Env, HasPairsOrTheLegacyForm) {
  EXPECT_EQ(parsed<Env>("ENV a=1 b=\"x y\"").pairs,
            (std::vector<Pair>{{"a", "1", false}, {"b", "\"x y\"", false}}));
  EXPECT_EQ(parsed<Env>("ENV a  b=1 c").pairs, (std::vector<Pair>{{"a", "b=1 c", true}}));
}

TEST(Label, HasPairsToo) {
  EXPECT_EQ(parsed<Label>("LABEL a b").pairs, (std::vector<Pair>{{"a", "b", true}}));
}

TEST(Cmd, HasAShellFormAndAnExecForm) {
  const auto shell = parsed<Cmd>("CMD echo  \"a\" \\\n   b").command;
  EXPECT_TRUE(shell.shell_form);
  EXPECT_EQ(shell.words, Words{"echo  \"a\"    b"});
  const auto exec = parsed<Cmd>("CMD [\"echo\", \"a\"]").command;
  EXPECT_FALSE(exec.shell_form);
  EXPECT_EQ(exec.words, (Words{"echo", "a"}));
}

TEST(Entrypoint, TakesPseudoJsonForShellForm) {
  EXPECT_TRUE(parsed<Entrypoint>("ENTRYPOINT ['a']").command.shell_form);
  EXPECT_FALSE(parsed<Entrypoint>("ENTRYPOINT []").command.shell_form);
}

TEST(Run, HasFlags) {
  const auto run = parsed<dockerfile::Run>(
      "RUN --mount=type=cache,target=/x --mount=from=a,target=/y --network=none --security=insecure true");
  ASSERT_EQ(run.mount_flags.size(), 2U);
  EXPECT_EQ(run.mount_flags[0].options, "type=cache,target=/x");
  EXPECT_EQ(run.mount_flags[1].from, "a");
  EXPECT_EQ(run.network, Network::none);
  EXPECT_EQ(run.security, Security::insecure);
}

TEST(Run, MayBeEmpty) {
  EXPECT_EQ(parsed<dockerfile::Run>("RUN").command.words, Words{});
}

TEST(Run, HasHeredocsUnlessItIsJson) {
  EXPECT_EQ(parsed<dockerfile::Run>("RUN cat <<A\nx\nA\n").command.heredocs.front().body, "x\n");
  EXPECT_TRUE(parsed<dockerfile::Run>("RUN [\"a\", \"<<A\"]").command.heredocs.empty());
}

TEST(Healthcheck, HasACommandAndTimes) {
  const auto check = parsed<Healthcheck>(
      "HEALTHCHECK --interval=5s --timeout=1m30s --start-period=0s --start-interval=1ms --retries=3 CMD a  "
      "b");
  EXPECT_EQ(check.test, (Words{"CMD-SHELL", "a  b"}));
  EXPECT_EQ(check.interval, 5s);
  EXPECT_EQ(check.timeout, 90s);
  EXPECT_EQ(check.start_period, 0s);
  EXPECT_EQ(check.start_interval, 1ms);
  EXPECT_EQ(check.retries, 3);
}

TEST(Healthcheck, MayBeJsonOrNone) {
  EXPECT_EQ(parsed<Healthcheck>("HEALTHCHECK CMD [\"a\", \"b\"]").test, (Words{"CMD", "a", "b"}));
  EXPECT_EQ(parsed<Healthcheck>("HEALTHCHECK none").test, Words{"NONE"});
}

TEST(Onbuild, KeepsItsTriggerWithHeredocBodies) {
  EXPECT_EQ(parsed<Onbuild>("onbuild  RUN echo  a").trigger, "RUN echo  a");
  EXPECT_EQ(parsed<Onbuild>("ONBUILD COPY <<-A /x\n\ty\n\tA\n").trigger, "COPY <<-A /x\n\ty\nA");
}

TEST(Onbuild, MayTriggerWhatIsUnknown) {
  EXPECT_EQ(parsed<Onbuild>("ONBUILD FOO x").trigger, "FOO x");
}

TEST(Expose, SortsItsWords) {
  EXPECT_EQ(parsed<Expose>("EXPOSE 9 80 8/udp").ports, (Words{"8/udp", "80", "9"}));
}

TEST(WholeRest, IsOneWordForTheseInstructions) {
  EXPECT_EQ(parsed<User>("USER  a b ").user, "a b");
  EXPECT_EQ(parsed<Workdir>("WORKDIR /a  b").path, "/a  b");
  EXPECT_EQ(parsed<Maintainer>("MAINTAINER a  <b>").name, "a  <b>");
  EXPECT_EQ(parsed<StopSignal>("STOPSIGNAL TERM x").signal, "TERM x");
}

TEST(Volume, HasPathsFromJsonOrWords) {
  EXPECT_EQ(parsed<Volume>("VOLUME [\"/a b\", \" /c \"]").paths, (Words{"/a b", "/c"}));
  EXPECT_EQ(parsed<Volume>("VOLUME /a [\"/b\"]").paths, (Words{"/a", "[\"/b\"]"}));
}

TEST(Shell, IsJson) {
  EXPECT_EQ(parsed<Shell>("SHELL [\"a\", \"-c\"]").words, (Words{"a", "-c"}));
}

TEST(Flags, AreJudged) {
  for (const char* text : {"COPY --link= a b", "COPY --link=x a b", "COPY --chown a b", "ENV --x a=b",
                           "USER --x a", "ONBUILD --x RUN a", "RUN --security=foo a"}) {
    EXPECT_THROW(parsed<dockerfile::Run>(text), util::Error) << text;
  }
  EXPECT_TRUE(parsed<Copy>("COPY --link=TRUE a b").transfer.link);
  EXPECT_FALSE(parsed<Copy>("COPY --link=false a b").transfer.link);
}

}  // namespace
