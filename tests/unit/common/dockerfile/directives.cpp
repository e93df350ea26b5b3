// Parser directives, and which image reads a file.
#include "common/dockerfile/directives.hpp"

#include <gtest/gtest.h>

namespace {

using dockerfile::find_directive;
using dockerfile::find_syntax;
using dockerfile::is_builtin_syntax;

std::string syntax(std::string_view text) {
  const auto found = find_syntax(text);
  return found ? found->value + "@" + std::to_string(found->line) : "none";
}

TEST(Directives, NameTheSyntaxImage) {
  EXPECT_EQ(syntax("# syntax=docker/dockerfile:1\nFROM x"), "docker/dockerfile:1@1");
  EXPECT_EQ(syntax("# escape=`\n#SYNTAX = a/b:c more words\n"), "a/b:c@2");
  EXPECT_EQ(syntax("FROM x\n# syntax=a"), "none");
}

TEST(Directives, MayBeOfOtherLanguages) {
  EXPECT_EQ(syntax("// syntax=a\n"), "a@1");
  EXPECT_EQ(syntax("#!/usr/bin/env x\n# syntax=a\n"), "a@2");
  EXPECT_EQ(syntax("{\"syntax\": \"a\", \"b\": 1}"), "a@1");
  EXPECT_EQ(syntax("{\"syntax\": 1}"), "none");
  EXPECT_EQ(syntax("{\"syntax\": \"a\""), "none");
  EXPECT_EQ(syntax("\xEF\xBB\xBF# syntax=a\n"), "a@1");
}

TEST(Directives, EndWhereOneStandsTwice) {
  EXPECT_FALSE(find_directive("check", "# syntax=a\n# syntax=b\n# check=c\n"));
  EXPECT_EQ(find_directive("check", "# check=c d\n# check=e\n")->value, "c d");
}

TEST(Directives, AreBuiltInForTheImagesOfTheOfficialFrontend) {
  EXPECT_TRUE(is_builtin_syntax("docker/dockerfile"));
  EXPECT_TRUE(is_builtin_syntax("docker/dockerfile:1.7-labs"));
  EXPECT_TRUE(is_builtin_syntax("docker.io/docker/dockerfile:1@sha256:abc"));
  EXPECT_TRUE(is_builtin_syntax("docker/dockerfile-upstream:master"));
  EXPECT_FALSE(is_builtin_syntax("docker/dockerfile-other"));
  EXPECT_TRUE(is_builtin_syntax("mirror.gcr.io/docker/dockerfile:1.9-labs"));
  EXPECT_TRUE(is_builtin_syntax("registry.corp:5000/hub/docker/dockerfile:1"));
  EXPECT_TRUE(is_builtin_syntax("registry.corp:5000/hub/docker/dockerfile-upstream"));
  EXPECT_FALSE(is_builtin_syntax("corp/mydocker/dockerfile"));
  EXPECT_FALSE(is_builtin_syntax("docker/dockerfile/more"));
  EXPECT_FALSE(is_builtin_syntax("dockerfile"));
}

}  // namespace
