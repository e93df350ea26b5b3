// Hiding directories from the context by an ignore file.
#include "tools/oci-build/ignore_file.hpp"

#include <gtest/gtest.h>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

namespace fs = std::filesystem;
using oci_build::hide_from_context;

class IgnoreFileTest : public testing::Test {
protected:
  IgnoreFileTest() {
    fs::create_directories(context / "image" / ".oci-build-1");
    sys::write_file(context / "Dockerfile", "FROM scratch\n");
  }

  std::string rules_for(const std::vector<fs::path>& hidden) {
    const auto copy = hide_from_context(context, context / "Dockerfile", hidden, work.path());
    return sys::read_file(copy.string() + ".dockerignore");
  }

  sys::TempDir context_owner{"/tmp"};
  sys::TempDir work{"/tmp"};
  fs::path context = context_owner.path();
  fs::path staging = context / "image" / ".oci-build-1";
};

TEST_F(IgnoreFileTest, LeavesTheDockerfileWhereNothingLiesInTheContext) {
  EXPECT_EQ(hide_from_context(context, context / "Dockerfile", {work.path()}, work.path()),
            context / "Dockerfile");
  EXPECT_TRUE(fs::is_empty(work.path()));
}

TEST_F(IgnoreFileTest, CopiesTheDockerfileUnderItsName) {
  const auto copy = hide_from_context(context, context / "Dockerfile", {staging}, work.path());
  EXPECT_EQ(copy, work.path() / "dockerfile" / "Dockerfile");
  EXPECT_EQ(sys::read_file(copy), "FROM scratch\n");
}

TEST_F(IgnoreFileTest, HidesWhatLiesInTheContextAndNothingElse) {
  EXPECT_EQ(rules_for({work.path(), staging}), "/image/.oci-build-1\n");
}

TEST_F(IgnoreFileTest, FindsDirectoriesThroughOtherSpellingsOfTheirPaths) {
  fs::create_directory_symlink(context, work.path() / "link");
  EXPECT_EQ(rules_for({work.path() / "link" / "image" / ".." / "image" / ".oci-build-1"}),
            "/image/.oci-build-1\n");
}

TEST_F(IgnoreFileTest, CopiesNothingThatLiesOutsideTheContext) {
  sys::write_file(work.path() / "secret", "secret");
  fs::create_symlink(work.path() / "secret", context / ".dockerignore");
  EXPECT_EQ(rules_for({staging}), "/image/.oci-build-1\n");
  fs::remove(context / "Dockerfile");
  fs::create_symlink(work.path() / "secret", context / "Dockerfile");
  EXPECT_THROW(hide_from_context(context, context / "Dockerfile", {staging}, work.path()), util::Error);
}

TEST_F(IgnoreFileTest, KeepsTheRulesOfTheContext) {
  sys::write_file(context / ".dockerignore", "*.log\n!keep.log");
  EXPECT_EQ(rules_for({staging}), "*.log\n!keep.log\n/image/.oci-build-1\n");
}

TEST_F(IgnoreFileTest, PrefersTheRulesOfTheDockerfile) {
  sys::write_file(context / ".dockerignore", "of the context\n");
  sys::write_file(context / "Dockerfile.dockerignore", "of the Dockerfile\n");
  EXPECT_EQ(rules_for({staging}), "of the Dockerfile\n\n/image/.oci-build-1\n");
}

TEST_F(IgnoreFileTest, EscapesWhatPatternsTreatSpecially) {
  const auto odd = context / "a*b?[c]\\d";
  fs::create_directory(odd);
  EXPECT_EQ(rules_for({odd}), "/a\\*b\\?\\[c]\\\\d\n");
}

}  // namespace
