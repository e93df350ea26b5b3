// Pulls from a real registry, with its faults made by a proxy in front of it.
#include "common/registry/pull.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/registry/pull_fixture.hpp"

namespace registry {
namespace {

using test::error_of;

std::vector<std::string> lines(const std::vector<test::LoggedRequest>& requests) {
  std::vector<std::string> lines;
  for (const auto& request : requests)
    lines.push_back(request.line());
  return lines;
}

TEST_F(PullTest, BringsAnImageIntoTheStore) {
  const auto image = pull(world().registry.address() + "/app:1");
  expect_layers(image, world().layers);
  EXPECT_EQ(image.config.platform, image::Platform::parse("linux/amd64"));
  EXPECT_EQ(image.root, image.manifest_blob);
  EXPECT_EQ(image.config_json, test::config_json("linux/amd64", world().layers));
  for (const auto& layer : image.manifest.layers) {
    EXPECT_EQ(progress_.at(layer.digest), layer.size);
  }
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PullTest, TakesTheImageOfThePlatform) {
  const auto name = world().registry.address() + "/multi:1";
  expect_layers(pull(name, image::Platform::parse("linux/arm64")), {"arm"});
  const auto image = pull(name, image::Platform::parse("linux/amd64"));
  expect_layers(image, {"amd"});
  EXPECT_NE(image.root, image.manifest_blob);
  EXPECT_EQ(error_of([&] { pull(name, image::Platform::parse("linux/s390x")); }),
            "the index holds no image for linux/s390x, only for linux/amd64, linux/arm64");
}

TEST_F(PullTest, FetchesNothingTwice) {
  auto& log = proxy();
  const auto name = log.address() + "/app:1";
  pull(name);
  EXPECT_EQ(log.requests().size(), 6);  // HEAD, manifest, config, three layers: one is empty
  expect_layers(pull(name), world().layers);
  EXPECT_EQ(lines(log.requests()), std::vector<std::string>{"HEAD /v2/app/manifests/1"});
}

TEST_F(PullTest, AsksNobodyAboutADigestItHas) {
  auto& log = proxy();
  const auto root = pull(log.address() + "/multi:1").root;
  const auto name = log.address() + "/multi@" + root.digest.str();
  EXPECT_EQ(pull(name).root, root);
  log.requests();
  EXPECT_EQ(pull(name).root, root);
  EXPECT_EQ(lines(log.requests()), std::vector<std::string>{});
}

TEST_F(PullTest, FetchesNoLayerForTheMetadataAlone) {
  auto& log = proxy();
  const auto image = puller().resolve(reference_of(log.address() + "/app:1"), std::nullopt);
  EXPECT_EQ(lines(log.requests()),
            (std::vector<std::string>{"HEAD /v2/app/manifests/1",
                                      "GET /v2/app/manifests/" + image.root.digest.str(),
                                      "GET /v2/app/blobs/" + image.manifest.config.digest.str()}));
}

TEST_F(PullTest, GoesOnWhereADownloadWasCut) {
  auto& log = proxy(R"([{"match": "GET .*/blobs/", "cut": 50, "times": 3}])");
  expect_layers(pull(log.address() + "/app:1"), world().layers);
  bool resumed = false;
  for (const auto& request : log.requests())
    resumed |= request.range.starts_with("bytes=50-");
  EXPECT_TRUE(resumed);
}

TEST_F(PullTest, GoesOnWhereTheLastBuildGaveUp) {
  auto& log = proxy(R"([{"match": "GET .*/blobs/", "cut": 50000}])");
  EXPECT_NE(error_of([&] { pull(log.address() + "/app:1"); }), "no error");
  log.set_faults("[]");
  log.requests();
  expect_layers(pull(log.address() + "/app:1"), world().layers);
  bool resumed = false;
  for (const auto& request : log.requests())
    resumed |= !request.range.empty() && request.range != "bytes=0-";
  EXPECT_TRUE(resumed);
}

TEST_F(PullTest, WaitsForARegistryThatIsBusy) {
  auto& log = proxy(R"([{"match": "/manifests/", "answer": 429, "headers": {"Retry-After": "1"}, "times": 1},
                        {"match": "/blobs/", "answer": 503, "times": 2},
                        {"match": "/blobs/", "answer": 500, "times": 1}])");
  const auto start = std::chrono::steady_clock::now();
  expect_layers(pull(log.address() + "/app:1"), world().layers);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST_F(PullTest, SaysWhyARegistryThatStaysBusyIsGivenUp) {
  auto& log = proxy(R"([{"match": "/manifests/", "answer": 429, "headers": {"Retry-After": "3600"}}])");
  EXPECT_EQ(error_of([&] { pull(log.address() + "/app:1"); }),
            log.address() + " answered 429; log in by DOCKER_CONFIG, or use a mirror by REGISTRY_MIRRORS");
}

TEST_F(PullTest, FetchesDamagedBytesOnceMore) {
  auto& log = proxy(R"([{"match": "GET .*/blobs/", "corrupt": 5, "times": 1}])");
  expect_layers(pull(log.address() + "/app:1"), world().layers);
}

TEST_F(PullTest, KeepsNothingOfWhatStaysDamaged) {
  auto& log = proxy(R"([{"match": "GET .*/blobs/", "corrupt": 5}])");
  const auto message = error_of([&] { pull(log.address() + "/app:1"); });
  EXPECT_TRUE(message.starts_with(log.address() + " sent bytes that do not have the digest sha256:"))
      << message;
  const std::filesystem::directory_iterator kept(directory_.path() / "store/blobs/sha256");
  EXPECT_EQ(std::distance(begin(kept), end(kept)), 1);  // the manifest
  log.set_faults("[]");
  expect_layers(pull(log.address() + "/app:1"), world().layers);
}

TEST_F(PullTest, RefusesADamagedManifest) {
  auto& log = proxy(R"([{"match": "GET .*/manifests/", "corrupt": 5}])");
  const auto message = error_of([&] { pull(log.address() + "/app:1"); });
  EXPECT_NE(message.find("sent a manifest that does not have the digest sha256:"), std::string::npos)
      << message;
}

TEST_F(PullTest, IsPatientWithASlowRegistry) {
  auto& log = proxy(R"([{"match": "GET .*/blobs/", "rate": 10000000}])");
  expect_layers(pull(log.address() + "/app:1"), world().layers);
}

TEST_F(PullTest, ReplacesADamagedBlobWithAWarning) {
  const auto name = world().registry.address() + "/app:1";
  const auto layer = pull(name).manifest.layers[0];
  std::ofstream(directory_.path() / "store/blobs/sha256" / layer.digest.hex()) << "short";
  expect_layers(pull(name), world().layers);
  EXPECT_EQ(warnings_.size(), 1);
}

TEST_F(PullTest, SaysWhatTheRegistryDoesNotHave) {
  const auto name = world().registry.address() + "/app:2";
  EXPECT_EQ(error_of([&] { pull(name); }), world().registry.address() + " answered 404: not found");
  const auto absent = world().registry.address() + "/app@sha256:" + std::string(64, '0');
  EXPECT_EQ(error_of([&] { pull(absent); }),
            world().registry.address() + " answered 404: not found (manifest unknown)");
}

TEST_F(PullTest, RefusesTheFormatOfBefore2016) {
  test::ScriptedServer old([](auto&, auto) { return test::answer("200 OK", "", R"({"schemaVersion": 1})"); });
  const auto name = "127.0.0.1:" + std::to_string(old.port()) + "/old";
  const auto message = error_of([&] { pull(name); });
  EXPECT_TRUE(message.starts_with("it is in Docker's format of before 2016")) << message;
}

TEST_F(PullTest, EndsWhenCancelled) {
  auto& log = proxy(R"([{"match": "GET .*/blobs/", "answer": 503, "headers": {"Retry-After": "50"}}])");
  sys::Canceller stop;
  std::jthread soon([&] {
    for (std::size_t seen = 0; seen < 3;)
      seen += log.requests().size();
    stop.cancel();
  });
  EXPECT_EQ(
      error_of([&] { puller().resolve(reference_of(log.address() + "/app:1"), {}, stop.cancellation()); }),
      "cancelled");
}

TEST_F(PullTest, FallsBackFromMirrorToMirrorToTheRegistryItself) {
  test::ScriptedServer broken([](auto&, auto) { return test::answer("404 Not Found", "", ""); });
  std::string gone;
  {
    test::ScriptedServer closed([](auto&, auto) { return test::Reply{}; });
    gone = "127.0.0.1:" + std::to_string(closed.port());
  }
  const auto second = "127.0.0.1:" + std::to_string(broken.port());
  hosts_[world().registry.address()] = {.mirrors = {gone, second}};
  expect_layers(pull(world().registry.address() + "/app:1"), world().layers);
  EXPECT_TRUE(broken.requests().at(0).starts_with("HEAD /v2/app/manifests/1?ns=127.0.0.1%3a"))
      << broken.requests()[0];
}

TEST_F(PullTest, TakesAllFromAMirrorThatHasIt) {
  auto& mirror = proxy();
  hosts_["registry.invalid"] = {.mirrors = {mirror.address()}};
  expect_layers(pull("registry.invalid/app:1"), world().layers);
  EXPECT_EQ(mirror.requests().size(), 6);  // HEAD, manifest, config, three layers: one is empty
}

TEST_F(PullTest, GivesTheReasonOfEveryEndpoint) {
  test::ScriptedServer first([](auto&, auto) { return test::answer("404 Not Found", "", ""); });
  test::ScriptedServer second([](auto&, auto) { return test::answer("403 Forbidden", "", ""); });
  const auto address = [](auto& server) { return "127.0.0.1:" + std::to_string(server.port()); };
  hosts_[address(second)] = {.mirrors = {address(first)}};
  EXPECT_EQ(error_of([&] { pull(address(second) + "/a:1"); }),
            address(first) + " answered 404: not found; " + address(second) +
                " answered 403; check the name, and the login in DOCKER_CONFIG");
}

TEST_F(PullTest, ResumesAtTheNextEndpoint) {
  auto& mirror = proxy(R"([{"match": "GET .*/blobs/", "cut": 50000}])");
  hosts_[world().registry.address()] = {.mirrors = {mirror.address()}};
  expect_layers(pull(world().registry.address() + "/app:1"), world().layers);
  const auto asked = lines(mirror.requests());
  EXPECT_TRUE(
      std::ranges::any_of(asked, [](const auto& line) { return line.starts_with("GET /v2/app/blobs/"); }));
}

}  // namespace
}  // namespace registry
