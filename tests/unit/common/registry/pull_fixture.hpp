// A real registry with images in it, and a store to pull them into.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/registry/pull.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/registry_servers.hpp"

namespace registry {

inline image::Reference reference_of(const std::string& text) {
  return image::Reference::parse(text).value();
}

// One registry for all tests of the program, holding app:1 (linux/amd64, four layers of several sizes) and
// multi:1 (an index of linux/amd64 and linux/arm64).
class World {
public:
  static World& get() {
    static World world;
    return world;
  }

  static const char* missing_program() {
    for (const auto* name : {"docker-registry", "skopeo", "python3", "openssl", "htpasswd"}) {
      if (!sys::find_program(name)) return name;
    }
    return nullptr;
  }

  std::string make_certificates(const std::string& name) const {
    test::run({"bash", "-c", ". \"$0/tls.bash\" && make_ca \"$1\" && make_certificate \"$1\" \"$2\"",
               test::support_directory(), directory.path().string(), name});
    return (directory.path() / name).string();
  }

  // The files of a key that signs tokens, and of its certificate.
  std::pair<std::string, std::string> token_key() const {
    const auto base = (directory.path() / "token").string();
    if (!std::filesystem::exists(base + ".key")) {
      test::run({"bash", "-c",
                 "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens -keyout \"$0.key\" "
                 "-out \"$0.pem\" 2>/dev/null",
                 base});
    }
    return {base + ".key", base + ".pem"};
  }

  sys::TempDir directory{std::filesystem::temp_directory_path()};
  std::filesystem::path data = directory.path() / "data";
  const std::vector<std::string> layers = {noise(3 << 20), std::string(100, 'b'), noise(700'000), ""};
  test::Server registry = test::start_registry(directory.path(), "plain", data);
  test::FaultProxy proxy{directory.path(), "proxy", registry};

private:
  World() {
    test::Files files;
    push(test::finish_layout(files, {test::add_image(files, "linux/amd64", layers)}), "app:1");
    files.clear();
    const auto index = test::add_index(files, {test::add_image_of_platform(files, "linux/amd64", {"amd"}),
                                               test::add_image_of_platform(files, "linux/arm64", {"arm"})});
    push(test::finish_layout(files, {index}), "multi:1");
  }

  static std::string noise(std::size_t size) {
    std::string bytes;
    for (std::uint32_t state = 1; bytes.size() < size; state = state * 1664525 + 1013904223)
      bytes += static_cast<char>(state >> 24);
    return bytes;
  }

  void push(const test::Files& files, const std::string& name) {
    const auto layout = directory.path() / ("layout-" + name.substr(0, name.find(':')));
    test::write_files(layout, files);
    test::run({"skopeo", "copy", "--quiet", "--all", "--insecure-policy", "--preserve-digests",
               "--dest-tls-verify=false", "oci:" + layout.string(),
               "docker://" + registry.address() + "/" + name});
  }
};

class PullTest : public testing::Test {
protected:
  void SetUp() override {
    if (const auto* name = World::missing_program()) GTEST_SKIP() << name << " is not installed";
  }

  // In front of the registry; the faults are set anew, the log is empty.
  test::FaultProxy& proxy(const std::string& faults = "[]") {
    world().proxy.set_faults(faults);
    world().proxy.requests();
    return world().proxy;
  }

  static World& world() { return World::get(); }

  Settings settings() const {
    using namespace std::chrono_literals;
    return {.hosts = hosts_,
            .docker_config = docker_config_,
            .retry = {.attempts = 4, .first_delay = 1ms, .longest_delay = 2ms, .longest_retry_after = 60s},
            .timeouts = {.connect = 5s, .stall = 5s}};
  }

  store::Store& open_store() {
    if (!store_) {
      store_ = std::make_unique<store::Store>(
          directory_.path() / "store",
          store::Options{.warn = [this](const auto& message) { warnings_.push_back(message); }});
    }
    return *store_;
  }

  Puller puller() { return Puller(settings(), open_store()); }

  // The whole image, as a build does that needs its files.
  Image pull(const std::string& name, const std::optional<image::Platform>& platform = std::nullopt) {
    auto pulling = puller();
    auto image = pulling.resolve(reference_of(name), platform);
    pulling.fetch_layers(image, [this](const image::Descriptor& blob, std::uint64_t done) {
      EXPECT_LE(done, blob.size);
      progress_[blob.digest] = done;
    });
    return image;
  }

  void expect_layers(const Image& image, const std::vector<std::string>& layers) {
    ASSERT_EQ(image.manifest.layers.size(), layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto& layer = image.manifest.layers[i];
      EXPECT_EQ(open_store().blobs().read({layer.digest, layer.size}), layers[i]) << i;
    }
  }

  void log_in(const std::string& host, const std::string& user, const std::string& password) {
    docker_config_ = directory_.path();
    const nlohmann::json config = {{"auths", {{host, {{"username", user}, {"password", password}}}}}};
    std::ofstream(directory_.path() / "config.json") << config;
  }

  std::map<std::string, HostSettings> hosts_;
  std::optional<std::filesystem::path> docker_config_;
  std::vector<std::string> warnings_;
  std::map<hash::Digest, std::uint64_t> progress_;
  sys::TempDir directory_{std::filesystem::temp_directory_path()};

private:
  std::unique_ptr<store::Store> store_;
};

}  // namespace registry
