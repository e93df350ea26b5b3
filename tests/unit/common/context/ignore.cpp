// Ignore files: lines, exceptions, parents, and where they are looked for.
#include "common/context/ignore.hpp"

#include <gtest/gtest.h>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

using context::Ignore;

TEST(IgnoreFile, HasOnePatternALine) {
  const auto ignore = Ignore::parse(
      "\xEF\xBB\xBF"
      "one\n# two\n  three  \r\n\n/four/../five/\n # six\n");
  for (const char* path : {"one", "three", "five", "# six"})
    EXPECT_TRUE(ignore.ignores(path)) << path;
  for (const char* path : {"# two", "two", "four", "six"})
    EXPECT_FALSE(ignore.ignores(path)) << path;
}

TEST(IgnoreFile, MayMakeExceptions) {
  const auto ignore = Ignore::parse("*\n! /src/\n!  docs//a.md\nsrc/*.o\n");
  EXPECT_TRUE(ignore.has_exceptions());
  EXPECT_TRUE(ignore.ignores("other"));
  EXPECT_FALSE(ignore.ignores("src"));
  EXPECT_FALSE(ignore.ignores("src/x.c"));
  EXPECT_TRUE(ignore.ignores("src/x.o"));
  EXPECT_FALSE(ignore.ignores("docs/a.md"));
  EXPECT_TRUE(ignore.ignores("docs/b.md"));
}

TEST(IgnoreFile, LetsTheLastPatternThatMatchesDecide) {
  EXPECT_FALSE(Ignore::parse("a\n!a\n").ignores("a"));
  EXPECT_TRUE(Ignore::parse("a\n!a\na\n").ignores("a"));
  EXPECT_TRUE(Ignore::parse("!a\na\n").ignores("a"));
}

TEST(IgnoreFile, AppliesToEverythingBelowWhatMatches) {
  const auto ignore = Ignore::parse("foo\nbar/*\n");
  EXPECT_TRUE(ignore.ignores("foo/a/b"));
  EXPECT_FALSE(ignore.ignores("x/foo"));
  EXPECT_FALSE(ignore.ignores("bar"));
  EXPECT_TRUE(ignore.ignores("bar/a/b"));
}

TEST(IgnoreFile, RefusesAnExceptionFromNothing) {
  EXPECT_THROW(Ignore::parse("!\n"), util::Error);
  EXPECT_THROW(Ignore::parse("!  \n"), util::Error);
}

TEST(IgnoreFile, RefusesAMalformedPattern) {
  try {
    Ignore::parse("ok\n[x\n");
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_STREQ(error.what(), "ignore pattern '[x': syntax error in pattern");
  }
}

TEST(Excludes, AreNoLinesOfAFile) {
  EXPECT_TRUE(Ignore::from_patterns({"#a"}).ignores("#a"));
  EXPECT_FALSE(Ignore::from_patterns({"/a"}).ignores("a"));
  EXPECT_FALSE(Ignore::from_patterns({"*", "!a"}).ignores("a"));
}

// A path judged on the way down, as a walk does.
bool ignored_on_the_way(const Ignore& ignore, const std::string& path) {
  Ignore::Verdict verdict;
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    verdict = ignore.judge(path.substr(0, slash), verdict.matches);
  }
  return ignore.judge(path, verdict.matches).ignored;
}

TEST(Ignore, RemembersOnTheWayDownWhatMatchedAbove) {
  const auto ignore = Ignore::parse("a\n!a/b\na/b/c\n");
  for (const char* path : {"a", "a/x", "a/b/c", "a/b/c/d"})
    EXPECT_TRUE(ignored_on_the_way(ignore, path)) << path;
  for (const char* path : {"a/b", "a/b/x"})
    EXPECT_FALSE(ignored_on_the_way(ignore, path)) << path;
}

// A pattern that could not change the verdict at a directory is not remembered for what lies in it.
TEST(Ignore, ForgetsAnExceptionThatCameBeforeItWasNeeded) {
  const auto ignore = Ignore::parse("a/b\n!a\n");
  EXPECT_TRUE(ignored_on_the_way(ignore, "a/b"));
  EXPECT_FALSE(ignore.ignores("a/b"));
}

TEST(Ignore, KnowsWhenNothingBelowADirectoryCanBeIn) {
  EXPECT_TRUE(Ignore::parse("a\n").ignores_all_below("a"));
  EXPECT_TRUE(Ignore::parse("*\n!b/c\n").ignores_all_below("a"));
  EXPECT_FALSE(Ignore::parse("*\n!b/c\n").ignores_all_below("b"));
  EXPECT_FALSE(Ignore::parse("*\n!b/c/**\n").ignores_all_below("b"));
  EXPECT_FALSE(Ignore::parse("*\n!**/x\n").ignores_all_below("a"));
}

TEST(Ignore, KnowsSourcesThatAreIgnored) {
  EXPECT_TRUE(Ignore::parse("a\n").ignores_source("./a/b"));
  EXPECT_FALSE(Ignore::parse("a\n").ignores_source("."));
  EXPECT_TRUE(Ignore::parse("**\n").ignores_source("."));
  EXPECT_FALSE(Ignore::parse("a\n!a/b\n").ignores_source("a"));
  EXPECT_FALSE(Ignore().ignores_source("a"));
}

TEST(IgnoreFile, OfTheDockerfilesNameWinsOverTheContexts) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  const auto& root = directory.path();
  EXPECT_TRUE(context::load_ignore(root, root / "build.Dockerfile").empty());
  sys::write_file(root / ".dockerignore", "general\n");
  EXPECT_TRUE(context::load_ignore(root, root / "build.Dockerfile").ignores("general"));
  sys::write_file(root / "build.Dockerfile.dockerignore", "special\n");
  const auto ignore = context::load_ignore(root, root / "build.Dockerfile");
  EXPECT_TRUE(ignore.ignores("special"));
  EXPECT_FALSE(ignore.ignores("general"));
  EXPECT_TRUE(context::load_ignore(root).ignores("general"));
}

TEST(IgnoreFile, IsNoneWhereALinkLeadsOutOfTheContext) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  const auto context = directory.path() / "context";
  std::filesystem::create_directory(context);
  sys::write_file(directory.path() / "outside", "[\n");
  std::filesystem::create_symlink("../outside", context / ".dockerignore");
  std::filesystem::create_symlink(directory.path() / "outside", context / "Dockerfile.dockerignore");
  EXPECT_TRUE(context::load_ignore(context, context / "Dockerfile").empty());
  sys::write_file(context / "rules", "ignored\n");
  std::filesystem::remove(context / ".dockerignore");
  std::filesystem::create_symlink("/rules", context / ".dockerignore");
  EXPECT_TRUE(context::load_ignore(context, context / "Dockerfile").ignores("ignored"));
}

TEST(IgnoreFile, IsNamedWhenItIsMalformed) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  sys::write_file(directory.path() / ".dockerignore", "[\n");
  try {
    context::load_ignore(directory.path());
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_EQ(error.what(), "'" + (directory.path() / ".dockerignore").string() +
                                "': ignore pattern '[': syntax error in pattern");
  }
}

}  // namespace
