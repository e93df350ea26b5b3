#include "common/native/settings.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace {

registry::Settings settings_of(const std::string& toml, std::vector<std::string> mirrors = {}) {
  document::Request request;
  request.buildkit_config = toml;
  request.registry_mirrors = std::move(mirrors);
  return native::registry_settings(request);
}

TEST(RegistrySettings, AreThoseOfTheTables) {
  const auto settings = settings_of(
      "[registry.\"docker.io\"]\nmirrors = [\"one:5000\", \"two/path\"]\n"
      "[registry.\"one:5000\"]\nhttp = true\ninsecure = true\n"
      "[registry.two]\nca = [\"/ca.pem\"]\ntlsconfigdir = [\"/certificates\"]\n"
      "[[registry.two.keypair]]\nkey = \"/key\"\ncert = \"/cert\"\n");
  EXPECT_EQ(settings.hosts.at("docker.io").mirrors, (std::vector<std::string>{"one:5000", "two/path"}));
  EXPECT_EQ(settings.hosts.at("docker.io").plain_http, std::nullopt);
  EXPECT_EQ(settings.hosts.at("one:5000").plain_http, true);
  EXPECT_TRUE(settings.hosts.at("one:5000").insecure);
  const auto& two = settings.hosts.at("two");
  EXPECT_EQ(two.ca.at(0), "/ca.pem");
  EXPECT_EQ(two.certificate_dirs.at(0), "/certificates");
  EXPECT_EQ(two.key_pair->key, "/key");
  EXPECT_EQ(two.key_pair->certificate, "/cert");
  EXPECT_FALSE(two.insecure);
}

TEST(RegistrySettings, HaveTheMirrorsOfTheTask) {
  EXPECT_EQ(settings_of("", {"one", "two"}).hosts.at("docker.io").mirrors,
            (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(
      settings_of("[registry.\"docker.io\"]\ninsecure = true\n", {"one"}).hosts.at("docker.io").insecure);
}

TEST(RegistrySettings, HaveMirrorsOfOnePlaceAlone) {
  EXPECT_EQ(
      test::error_of([] { settings_of("[registry.\"docker.io\"]\nmirrors = [\"one\"]\n", {"two"}); }),
      "BUILDKIT_EXTRA_CONFIG sets the mirrors of docker.io, as REGISTRY_MIRRORS does; remove one of them");
}

TEST(RegistrySettings, RefuseValuesOfAnotherKind) {
  EXPECT_EQ(test::error_of([] { settings_of("registry = 1\n"); }),
            "BUILDKIT_EXTRA_CONFIG: registry: expected tables");
  EXPECT_EQ(test::error_of([] { settings_of("[registry.\"a.b\"]\nhttp = \"yes\"\n"); }),
            "BUILDKIT_EXTRA_CONFIG: registry.\"a.b\".http: expected true or false");
  EXPECT_EQ(test::error_of([] { settings_of("[registry.a]\nmirrors = \"one\"\n"); }),
            "BUILDKIT_EXTRA_CONFIG: registry.a.mirrors: expected a list of strings");
  EXPECT_EQ(test::error_of([] { settings_of("[[registry.a.keypair]]\nkey = \"/key\"\n"); }),
            "BUILDKIT_EXTRA_CONFIG: registry.a.keypair.cert: expected a string");
}

TEST(RegistrySettings, PassOverKeysOfOtherThings) {
  EXPECT_TRUE(settings_of("debug = true\n[worker.oci]\nenabled = true\n").hosts.empty());
  EXPECT_EQ(settings_of("[registry.a]\nnew-key = 1\n").hosts.size(), 1);
}

}  // namespace
