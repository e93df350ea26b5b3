// References as people write them, and what options make of their registries.
#include "tools/oci-push/goals.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/error_of.hpp"

namespace {

using oci_push::parse_goal;
using oci_push::settings_for;
using test::error_of;

TEST(Goal, WithoutATagIsTheLatest) {
  const auto goal = parse_goal("registry.example:5000/team/app");
  EXPECT_EQ(goal.reference.full(), "registry.example:5000/team/app:latest");
  EXPECT_EQ(goal.text, "registry.example:5000/team/app");
  EXPECT_EQ(goal.digest, std::nullopt);
}

TEST(Goal, MayDemandADigest) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const auto tagged = parse_goal("app:1@" + digest);
  EXPECT_EQ(tagged.reference.full(), "docker.io/library/app:1");
  EXPECT_EQ(tagged.text, "app:1");
  EXPECT_EQ(tagged.digest, hash::Digest::parse(digest));
  EXPECT_EQ(parse_goal("app@" + digest).reference.tag, "");
}

TEST(Goal, IsTheNameOfAnImage) {
  EXPECT_EQ(error_of([] { parse_goal("Registry.example/App:1"); }),
            "'Registry.example/App:1' is no name of an image; expected one like "
            "'registry.example/team/app:1.0'");
  EXPECT_EQ(error_of([] { parse_goal("docker://app"); }),
            "'docker://app' is a URL; give the name alone, as in 'registry.example/team/app:1.0'");
}

TEST(SettingsForGoals, SayTheSameOfEachRegistry) {
  const std::vector goals = {parse_goal("one.example/a"), parse_goal("127.0.0.1:5000/b")};
  const auto trusting = settings_for(goals, {.ca = {"ca.pem"}}, "logins");
  ASSERT_EQ(trusting.hosts.size(), 2U);
  EXPECT_EQ(trusting.hosts.at("127.0.0.1:5000").plain_http, false);
  EXPECT_EQ(trusting.hosts.at("one.example").ca, std::vector<std::filesystem::path>{"ca.pem"});
  EXPECT_EQ(trusting.docker_config, "logins");
  EXPECT_EQ(settings_for(goals, {.plain_http = true}, {}).hosts.at("one.example").plain_http, true);
  const auto usual = settings_for(goals, {}, {});
  EXPECT_EQ(usual.hosts.at("127.0.0.1:5000").plain_http, std::nullopt);
  EXPECT_FALSE(usual.hosts.at("one.example").insecure);
  EXPECT_TRUE(settings_for(goals, {.insecure = true}, {}).hosts.at("one.example").insecure);
}

TEST(Logins, AreInTheDirectoryThatTheEnvironmentNames) {
  ::setenv("HOME", "/home/somebody", 1);
  ::unsetenv("DOCKER_CONFIG");
  EXPECT_EQ(oci_push::docker_config_directory(), "/home/somebody/.docker");
  ::setenv("DOCKER_CONFIG", "/tmp", 1);
  EXPECT_EQ(oci_push::docker_config_directory(), "/tmp");
  ::setenv("DOCKER_CONFIG", "/dev/null", 1);
  EXPECT_EQ(error_of([] { oci_push::docker_config_directory(); }),
            "DOCKER_CONFIG: '/dev/null' is no directory; name the one that holds config.json");
  ::unsetenv("DOCKER_CONFIG");
}

}  // namespace
