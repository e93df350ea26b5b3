// The Dockerfile's name, and sources that are ignored.
#include "common/context/sources.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/file.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"

namespace {

using context::find_dockerfile;

TEST(FindDockerfile, TakesTheLowerCaseNameWhereTheUsualOneIsMissing) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  const auto& root = directory.path();
  EXPECT_THROW(find_dockerfile(root, root / "Dockerfile"), util::Error);
  sys::write_file(root / "dockerfile", "");
  EXPECT_EQ(find_dockerfile(root, root / "Dockerfile"), root / "dockerfile");
  EXPECT_THROW(find_dockerfile(root, root / "Dockerfile.x"), util::Error);
  sys::write_file(root / "Dockerfile", "");
  EXPECT_EQ(find_dockerfile(root, root / "Dockerfile"), root / "Dockerfile");
}

TEST(FindDockerfile, FollowsNoLinkOutOfTheContext) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  const auto context = directory.path() / "context";
  std::filesystem::create_directory(context);
  sys::write_file(directory.path() / "secret", "");
  std::filesystem::create_symlink("../secret", context / "Dockerfile");
  EXPECT_EQ(test::error_of([&] { find_dockerfile(context, context / "Dockerfile"); }),
            "cannot find the Dockerfile '" + (context / "Dockerfile").string() +
                "': it is a link, or behind one, that leads out of the context; put the file itself there");
  sys::write_file(context / "dockerfile", "");
  EXPECT_EQ(find_dockerfile(context, context / "Dockerfile"), context / "dockerfile");
}

std::vector<std::string> warnings(const std::string& instruction, const std::string& ignore) {
  const auto file = dockerfile::parse("FROM scratch\n" + instruction);
  dockerfile::Lint lint;
  context::warn_of_ignored_sources(file.stages[0].instructions[0], context::Ignore::parse(ignore), lint);
  std::vector<std::string> texts;
  for (const auto& warning : lint.warnings())
    texts.push_back(warning.str());
  return texts;
}

TEST(IgnoredSources, AreWorthAWarning) {
  EXPECT_EQ(
      warnings("COPY ./a//b c /", "a\n"),
      std::vector<std::string>{
          "CopyIgnoredFile: Attempting to Copy file \"a/b\" that is excluded by .dockerignore (line 2)"});
  EXPECT_EQ(warnings("ADD a http://a/b /", "a\n"),
            std::vector<std::string>{
                "CopyIgnoredFile: Attempting to Add file \"a\" that is excluded by .dockerignore (line 2)"});
}

TEST(IgnoredSources, AreNotJudgedElsewhereOrWhereThereAreExceptions) {
  EXPECT_TRUE(warnings("COPY --from=x a /", "a\n").empty());
  EXPECT_TRUE(warnings("COPY a /", "a\n!b\n").empty());
  EXPECT_TRUE(warnings("RUN a", "a\n").empty());
}

}  // namespace
