// Reference: the grammar and the short forms of distribution/reference.
#include "common/image/reference.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/error_of.hpp"

namespace {

using image::Reference;

const std::string hex64(64, 'a');

struct Names {
  std::string written;
  std::string full;
  std::string familiar;
};

class WellFormed : public testing::TestWithParam<Names> {};

TEST_P(WellFormed, HasAFullAndAFamiliarForm) {
  const auto reference = Reference::parse(GetParam().written);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->full(), GetParam().full);
  EXPECT_EQ(reference->familiar(), GetParam().familiar);
  EXPECT_EQ(Reference::parse(reference->full()), reference);
  EXPECT_EQ(Reference::parse(reference->familiar()), reference);
}

INSTANTIATE_TEST_SUITE_P(
    Reference, WellFormed,
    testing::Values(Names{"debian", "docker.io/library/debian", "debian"},
                    Names{"debian:12", "docker.io/library/debian:12", "debian:12"},
                    Names{"library/debian", "docker.io/library/debian", "debian"},
                    Names{"docker.io/debian", "docker.io/library/debian", "debian"},
                    Names{"index.docker.io/library/debian:12", "docker.io/library/debian:12", "debian:12"},
                    Names{"docker/docker", "docker.io/docker/docker", "docker/docker"},
                    Names{"library/foo/bar", "docker.io/library/foo/bar", "library/foo/bar"},
                    Names{"localhost/debian", "localhost/debian", "localhost/debian"},
                    Names{"LOCALDOMAIN/library/debian", "LOCALDOMAIN/library/debian",
                          "LOCALDOMAIN/library/debian"},
                    Names{"Docker/docker", "Docker/docker", "Docker/docker"},
                    Names{"127.0.0.1:5000/debian:a_b-1.c", "127.0.0.1:5000/debian:a_b-1.c",
                          "127.0.0.1:5000/debian:a_b-1.c"},
                    Names{"192.168.0.1", "docker.io/library/192.168.0.1", "192.168.0.1"},
                    Names{"192.168.0.1:80", "docker.io/library/192.168.0.1:80", "192.168.0.1:80"},
                    Names{"[fc00::1]:5000/docker", "[fc00::1]:5000/docker", "[fc00::1]:5000/docker"},
                    Names{"a__b/c---d/e.f", "docker.io/a__b/c---d/e.f", "a__b/c---d/e.f"},
                    Names{"alpine:3@sha256:" + hex64, "docker.io/library/alpine:3@sha256:" + hex64,
                          "alpine:3@sha256:" + hex64}),
    [](const auto& test) { return "Vector" + std::to_string(test.index); });

TEST(Reference, TakesAnIdentifierForANameOnlyBehindARegistry) {
  const auto reference = Reference::parse("docker.io/" + hex64);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->full(), "docker.io/library/" + hex64);
}

class Malformed : public testing::TestWithParam<std::string> {};

TEST_P(Malformed, IsNoReference) {
  EXPECT_FALSE(Reference::parse(GetParam()));
}

TEST(Reference, IsNamedAsAContextWithoutTheDefaults) {
  const auto name = image::context_name;
  EXPECT_EQ(name("docker.io/library/debian:latest"), "debian");
  EXPECT_EQ(name("debian:12"), "debian:12");
  EXPECT_EQ(name("docker.io/owner/name:1"), "owner/name:1");
  EXPECT_EQ(name("ghcr.io/a/b:latest"), "ghcr.io/a/b");
  EXPECT_EQ(name("build"), "build");
}

TEST(Reference, OfAContextIsWhatADockerfileCanSay) {
  EXPECT_EQ(test::error_of([] { image::context_name("My Base"); }),
            "'My Base' cannot be the name of an image or stage; use lower case, digits, and . _ - /");
}

TEST(Reference, OfALocalStoreHasATagAndNoDigest) {
  EXPECT_EQ(image::parse_repo_tag("hello").full(), "docker.io/library/hello:latest");
  EXPECT_EQ(image::parse_repo_tag("127.0.0.1:5000/a/b:V1.0").full(), "127.0.0.1:5000/a/b:V1.0");
  EXPECT_EQ(
      test::error_of([] { image::parse_repo_tag("Hello:1.0"); }),
      "'Hello:1.0' cannot be the name of an image; write it as 'registry.example.com/name:tag', in lower "
      "case but for the tag");
  const auto digest = "hello@sha256:" + std::string(64, 'a');
  EXPECT_EQ(test::error_of([&] { image::parse_repo_tag(digest); }),
            "'" + digest + "' holds a digest, which comes of what is built; name a tag");
}

INSTANTIATE_TEST_SUITE_P(Reference, Malformed,
                         testing::Values("", "https://github.com/docker/docker", "docker/Docker", "Debian",
                                         "-docker", "-docker/docker", "-docker.io/docker/docker",
                                         "docker///docker", "docker.io/docker/Docker", "[fc00::1]",
                                         "[fc00::1]:5000", "fc00::1:5000/debian",
                                         "[fe80::1%eth0]:5000/debian", "a..b", "a___b", "a_",
                                         "debian:", "debian:-x", "debian@", "debian@sha256:abc",
                                         "debian:" + std::string(129, 'x'), "localhost:port/debian", hex64,
                                         std::string(256, 'a')),
                         [](const auto& test) { return "Vector" + std::to_string(test.index); });

}  // namespace
