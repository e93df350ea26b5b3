#include "common/registry/endpoint.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace registry {
namespace {

std::vector<std::string> urls(const Settings& settings, const std::string& domain) {
  std::vector<std::string> urls;
  for (const auto& endpoint : endpoints_of(settings, domain))
    urls.push_back(endpoint.base.str());
  return urls;
}

using Urls = std::vector<std::string>;

TEST(Endpoints, OfADomainAreItsHttpsServer) {
  EXPECT_EQ(urls({}, "ghcr.io"), Urls{"https://ghcr.io/v2/"});
  EXPECT_EQ(urls({}, "registry.example:5000"), Urls{"https://registry.example:5000/v2/"});
}

TEST(Endpoints, OfDockerHubAreAtItsRegistry) {
  const auto endpoints = endpoints_of({}, "docker.io");
  ASSERT_EQ(endpoints.size(), 1);
  EXPECT_EQ(endpoints[0].base.str(), "https://registry-1.docker.io/v2/");
  EXPECT_EQ(endpoints[0].host, "registry-1.docker.io");
}

TEST(Endpoints, OfTheMachineItselfSpeakPlainHttpUnlessToldOtherwise) {
  EXPECT_EQ(urls({}, "127.0.0.1:5000"), Urls{"http://127.0.0.1:5000/v2/"});
  EXPECT_EQ(urls({}, "localhost:5000"), Urls{"http://localhost:5000/v2/"});
  const Settings settings{.hosts = {{"localhost:5000", {.plain_http = false}}}};
  EXPECT_EQ(urls(settings, "localhost:5000"), Urls{"https://localhost:5000/v2/"});
}

TEST(Endpoints, SpeakPlainHttpWhereToldTo) {
  const Settings settings{.hosts = {{"a.example", {.plain_http = true}}}};
  EXPECT_EQ(urls(settings, "a.example"), Urls{"http://a.example/v2/"});
}

TEST(Endpoints, ThatAreInsecureAndPlainAreTriedInBothWays) {
  const Settings settings{.hosts = {{"a.example", {.plain_http = true, .insecure = true}}}};
  EXPECT_EQ(urls(settings, "a.example"), (Urls{"https://a.example/v2/", "http://a.example/v2/"}));
  EXPECT_FALSE(endpoints_of(settings, "a.example")[0].tls.verify);
}

TEST(Endpoints, StartWithTheMirrorsInOrder) {
  const Settings settings{
      .hosts = {{"docker.io", {.mirrors = {"one.example", "http://two.example:80/", "three.example/hub/"}}},
                {"one.example", {.insecure = true}}}};
  EXPECT_EQ(urls(settings, "docker.io"),
            (Urls{"https://one.example/v2/", "http://two.example:80/v2/", "https://three.example/v2/hub/",
                  "https://registry-1.docker.io/v2/"}));
  const auto endpoints = endpoints_of(settings, "docker.io");
  EXPECT_EQ(endpoints[0].stands_for, "docker.io");
  EXPECT_FALSE(endpoints[0].tls.verify);
  EXPECT_TRUE(endpoints[3].tls.verify);
  EXPECT_EQ(endpoints[3].stands_for, "");
}

TEST(Endpoints, ThatCannotBeAreAnErrorNamingTheSetting) {
  const Settings settings{.hosts = {{"docker.io", {.mirrors = {"a b"}}}}};
  try {
    endpoints_of(settings, "docker.io");
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("mirror 'a b' of 'docker.io': ")) << error.what();
  }
}

TEST(Endpoints, TakeCertificatesFromADirectory) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  for (const auto* name : {"b.crt", "a.crt", "own.cert", "own.key"})
    std::ofstream(directory.path() / name) << "x";
  const Settings settings{.hosts = {{"a.example", {.certificate_dirs = {directory.path(), "/absent"}}}}};
  const auto tls = endpoints_of(settings, "a.example")[0].tls;
  EXPECT_EQ(tls.ca_files, (std::vector{directory.path() / "a.crt", directory.path() / "b.crt"}));
  ASSERT_TRUE(tls.key_pair);
  EXPECT_EQ(tls.key_pair->certificate, directory.path() / "own.cert");
  EXPECT_EQ(tls.key_pair->key, directory.path() / "own.key");
}

}  // namespace
}  // namespace registry
