// buildkitd.toml: ours, the user's, and where they meet.
#include "common/buildkit/daemon_config.hpp"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <string>

#include "tests/support/error_of.hpp"

namespace {

buildkit::DaemonSettings settings() {
  return {
      .root = "/w/root", .socket = "/w/b.sock", .otel_socket = "/w/otel.sock", .runtime = "/usr/sbin/runc"};
}

toml::table merged(const std::string& extra) {
  return toml::parse(buildkit::daemon_config(settings(), extra));
}

TEST(DaemonConfig, ListensOnItsSocketAlone) {
  const auto config = toml::parse(buildkit::daemon_config(settings(), std::nullopt));
  EXPECT_EQ(config["root"].value<std::string>(), "/w/root");
  ASSERT_EQ(config["grpc"]["address"].as_array()->size(), 1U);
  EXPECT_EQ(config["grpc"]["address"][0].value<std::string>(), "unix:///w/b.sock");
  EXPECT_EQ(config["otel"]["socketPath"].value<std::string>(), "/w/otel.sock");
}

TEST(DaemonConfig, RunsStepsWithTheRuntimeThatWasFound) {
  const auto config = toml::parse(buildkit::daemon_config(settings(), std::nullopt));
  EXPECT_EQ(config["worker"]["oci"]["binary"].value<std::string>(), "/usr/sbin/runc");
  EXPECT_EQ(config["worker"]["oci"]["gc"].value<bool>(), false);
  EXPECT_EQ(config["worker"]["containerd"]["enabled"].value<bool>(), false);
  EXPECT_EQ(config["registry"].node(), nullptr);
}

TEST(DaemonConfig, PutsMirrorsInFrontOfDockerHubInTheirOrder) {
  auto with_mirrors = settings();
  with_mirrors.registry_mirrors = {"mirror.example.com", "localhost:5000"};
  const auto config = toml::parse(buildkit::daemon_config(with_mirrors, std::nullopt));
  const auto mirrors = config["registry"]["docker.io"]["mirrors"];
  EXPECT_EQ(mirrors[0].value<std::string>(), "mirror.example.com");
  EXPECT_EQ(mirrors[1].value<std::string>(), "localhost:5000");
}

TEST(DaemonConfig, AddsToTablesThatBothHave) {
  const auto config = merged("[worker.oci]\nmax-parallelism = 4\n[registry.\"docker.io\"]\nhttp = true\n");
  EXPECT_EQ(config["worker"]["oci"]["max-parallelism"].value<int>(), 4);
  EXPECT_EQ(config["worker"]["oci"]["binary"].value<std::string>(), "/usr/sbin/runc");
  EXPECT_EQ(config["registry"]["docker.io"]["http"].value<bool>(), true);
}

TEST(DaemonConfig, LetsTheUserReplaceADefault) {
  const auto config = merged("[worker.oci]\ngc = true\nbinary = \"/usr/bin/crun\"\n");
  EXPECT_EQ(config["worker"]["oci"]["gc"].value<bool>(), true);
  EXPECT_EQ(config["worker"]["oci"]["binary"].value<std::string>(), "/usr/bin/crun");
}

TEST(DaemonConfig, KeepsEveryKindOfValue) {
  const auto config = merged(
      "[registry.\"r.example.com\"]\nca = [\"/a, b.pem\"]\n"
      "[[registry.\"r.example.com\".keypair]]\nkey = 'k\"'\ncert = \"c\\n\"\n");
  const auto registry = config["registry"]["r.example.com"];
  EXPECT_EQ(registry["ca"][0].value<std::string>(), "/a, b.pem");
  EXPECT_EQ(registry["keypair"][0]["key"].value<std::string>(), "k\"");
  EXPECT_EQ(registry["keypair"][0]["cert"].value<std::string>(), "c\n");
}

TEST(DaemonConfig, NamesTheTableAndKeyOfAClash) {
  auto with_mirrors = settings();
  with_mirrors.registry_mirrors = {"one"};
  EXPECT_EQ(
      test::error_of(
          [&] { buildkit::daemon_config(with_mirrors, "[registry.\"docker.io\"]\nmirrors = [\"two\"]\n"); }),
      "BUILDKIT_EXTRA_CONFIG sets 'mirrors' in table [registry.\"docker.io\"], which this task sets itself; "
      "remove it there");
}

TEST(DaemonConfig, RefusesAnotherPlaceToListenOrToKeepState) {
  EXPECT_EQ(test::error_of([] { merged("root = \"/elsewhere\""); }),
            "BUILDKIT_EXTRA_CONFIG sets 'root', which this task sets itself; remove it there");
  EXPECT_EQ(
      test::error_of([] { merged("[grpc]\naddress = [\"tcp://0.0.0.0:1234\"]"); }),
      "BUILDKIT_EXTRA_CONFIG sets 'address' in table [grpc], which this task sets itself; remove it there");
}

TEST(DaemonConfig, RefusesAValueWhereATableHasToBe) {
  EXPECT_EQ(test::error_of([] { merged("grpc = 1"); }),
            "BUILDKIT_EXTRA_CONFIG sets 'grpc', which this task sets itself; remove it there");
}

TEST(DaemonConfig, NamesTheLineThatIsNoToml) {
  const auto error = test::error_of([] { merged("a = 1\nb = \n"); });
  EXPECT_TRUE(error.starts_with("BUILDKIT_EXTRA_CONFIG is not valid TOML: line 2: ")) << error;
}

}  // namespace
