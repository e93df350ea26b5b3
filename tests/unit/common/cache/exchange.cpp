// Caches through directories and real registries.
#include <gtest/gtest.h>

#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include "common/cache/exports.hpp"
#include "common/cache/imports.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/registry_servers.hpp"
#include "tests/unit/common/cache/example_records.hpp"

namespace cache {
namespace {

using test::error_of;

class CacheExchange : public testing::Test {
protected:
  std::filesystem::path path(const std::string& name) const { return directory_.path() / name; }

  Open opener(store::Store& store) {
    return [&store](const store::Blob& blob) { return store.blobs().open_file(blob, store::Check::digest); };
  }

  // A store of its own worker, with those layers of one file in it.
  store::Store& worker(const std::string& name, const std::vector<std::string>& layers = {}) {
    auto& store = stores_[name];
    if (!store) store = std::make_unique<store::Store>(path(name));
    for (const auto& layer : layers)
      store->blobs().put(layer_of(layer));
    return *store;
  }

  Imports imports(const std::string& entry, store::Store& store) {
    return Imports({entry_of(document::CacheEntry::parse(entry, Direction::from), Direction::from)},
                   settings_, store, [this](const std::string& message) { messages_.push_back(message); });
  }

  Exported write_to(const std::string& entry, const Records& records, store::Store& store) {
    return write(entry_of(document::CacheEntry::parse(entry, Direction::to), Direction::to), records,
                 settings_, opener(store));
  }

  // That worker b finds what a has written, and pulls what it wants alone.
  void share(const std::string& to, const std::string& from) {
    const auto records = example_records();
    auto& a = worker("a", {"made", "tested"});
    const auto exported = write_to(to, records, a);
    EXPECT_EQ(exported.layers, 2);
    EXPECT_EQ(exported.sent, 2);
    EXPECT_EQ(write_to(to, records, a).sent, 0);

    auto& b = worker("b");
    auto imported = imports(from, b);
    const auto key = plan::key_of(parts_of("make"));
    ASSERT_EQ(imported.find(key), step_of("make", "made"));
    EXPECT_EQ(imported.note(hash::sha256("files")), hash::sha256("content"));
    EXPECT_EQ(imported.find(hash::sha256("no key")), std::nullopt);
    const auto blob = step_of("make", "made").blob;
    EXPECT_FALSE(b.blobs().has(blob, store::Check::digest));
    EXPECT_EQ(imported.fetch(step_of("make", "made")), step_of("make", "made"));
    EXPECT_EQ(b.blobs().read(blob), layer_of("made"));
    EXPECT_FALSE(b.blobs().has(step_of("test", "tested").blob, store::Check::digest));
    EXPECT_FALSE(imported.has_failed());
    EXPECT_EQ(messages_, std::vector<std::string>{});
  }

  // The step `command` of a shared cache whose layer is `blob`.
  store::Step offered(const std::string& command, const std::string& blob) {
    auto step = step_of(command, "made");
    step.diff_id = hash::sha256(blob);
    step.blob = {hash::sha256(blob), blob.size()};
    auto& a = worker("a");
    a.blobs().put(blob);
    write_to(local("dest"), {.steps = {{plan::key_of(step.parts), step}}, .notes = {}}, a);
    return step;
  }

  std::string local(const std::string& way) const {
    return "type=local," + way + "=" + path("shared").string();
  }

  registry::Settings settings_ = {.retry = {.attempts = 2, .first_delay = std::chrono::milliseconds(1)}};
  std::vector<std::string> messages_;
  sys::TempDir directory_{std::filesystem::temp_directory_path()};

private:
  std::map<std::string, std::unique_ptr<store::Store>> stores_;
};

TEST_F(CacheExchange, ThroughADirectory) {
  share(local("dest"), local("src"));
}

TEST_F(CacheExchange, ThroughARegistryWithAPasswordAndACertificateOfItsOwn) {
  for (const auto* name : {"docker-registry", "openssl", "htpasswd"})
    ASSERT_TRUE(sys::find_program(name)) << name;
  const auto base = directory_.path().string();
  test::run({"bash", "-c", ". \"$0/tls.bash\" && make_ca \"$1\" && make_certificate \"$1\" registry",
             test::support_directory(), base});
  std::ofstream(path("htpasswd")) << test::run({"htpasswd", "-Bbn", "alice", "secret"});
  const auto server = test::start_registry(
      directory_.path(), "registry", path("data"),
      {.auth = "{htpasswd: {realm: tests, path: " + base + "/htpasswd}}",
       .tls = "{certificate: " + base + "/registry.pem, key: " + base + "/registry.key}"});
  settings_.hosts[server.address()] = {.plain_http = false, .ca = {path("ca.pem")}};
  settings_.docker_config = directory_.path();
  std::ofstream(path("config.json")) << nlohmann::json{
      {"auths", {{server.address(), {{"username", "alice"}, {"password", "secret"}}}}}};
  const auto ref = "type=registry,ref=" + server.address() + "/app:cache";
  share(ref + ",mode=max", ref);
}

TEST_F(CacheExchange, KeepsOtherNamesOfADirectory) {
  auto& a = worker("a", {"made", "tested"});
  write_to(local("dest") + ",tag=main", example_records({{"make", "made"}}), a);
  write_to(local("dest") + ",tag=branch", example_records({{"test", "tested"}}), a);
  auto& b = worker("b");
  EXPECT_TRUE(imports(local("src") + ",tag=main", b).find(plan::key_of(parts_of("make"))));
  EXPECT_FALSE(imports(local("src") + ",tag=branch", b).find(plan::key_of(parts_of("make"))));
  EXPECT_TRUE(imports(local("src") + ",tag=branch", b).find(plan::key_of(parts_of("test"))));
  EXPECT_FALSE(imports(local("src"), b).find(plan::key_of(parts_of("test"))));
  EXPECT_EQ(messages_, std::vector{"no cache from directory '" + path("shared").string() +
                                   "': nothing in it is called 'latest'"});
}

TEST_F(CacheExchange, LeavesOutWhatNobodyHas) {
  EXPECT_EQ(write_to(local("dest"), example_records(), worker("a", {"made"})).layers, 1);
  auto imported = imports(local("src"), worker("b"));
  EXPECT_TRUE(imported.find(plan::key_of(parts_of("make"))));
  EXPECT_FALSE(imported.find(plan::key_of(parts_of("test"))));
}

TEST_F(CacheExchange, WithNobodyIsOneMessageAndNoHit) {
  auto imported = imports(local("src"), worker("b"));
  EXPECT_FALSE(imported.find(plan::key_of(parts_of("make"))));
  EXPECT_FALSE(imported.note(hash::sha256("files")));
  ASSERT_EQ(messages_.size(), 1);
  EXPECT_NE(messages_[0].find("no cache from directory"), std::string::npos);
  messages_.clear();
  auto other = imports("type=registry,ref=127.0.0.1:1/app", worker("b"));
  EXPECT_FALSE(other.find(plan::key_of(parts_of("make"))));
  ASSERT_EQ(messages_.size(), 1);
  EXPECT_NE(messages_[0].find("no cache from 127.0.0.1:1/app"), std::string::npos);
}

TEST_F(CacheExchange, WithBuildKitIsOneMessageAndNoHit) {
  const std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
      R"("application/vnd.buildkit.cacheconfig.v0","digest":")" +
      hash::sha256("{}").str() + R"(","size":2},"layers":[]})";
  const auto digest = hash::sha256(manifest);
  std::filesystem::create_directories(path("shared") / "blobs/sha256");
  std::ofstream(path("shared") / "blobs/sha256" / digest.hex()) << manifest;
  std::ofstream(path("shared") / "index.json")
      << R"({"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")"
      << digest.str() << R"(","size":)" << manifest.size()
      << R"(,"annotations":{"org.opencontainers.image.ref.name":"latest"}}]})";
  auto imported = imports(local("src"), worker("b"));
  EXPECT_FALSE(imported.find(plan::key_of(parts_of("make"))));
  ASSERT_EQ(messages_.size(), 1);
  EXPECT_NE(messages_[0].find("BuildKit wrote it"), std::string::npos) << messages_[0];
}

// What a directory says of an image of this config and these layers.
class CacheInImage : public CacheExchange {
protected:
  void put_image(const nlohmann::json& config, std::vector<image::Descriptor> layers) {
    const auto config_json = config.dump();
    const image::Manifest manifest{.media_type = std::string(image::media_type::oci_manifest),
                                   .config = {.media_type = std::string(image::media_type::oci_config),
                                              .digest = hash::sha256(config_json),
                                              .size = config_json.size()},
                                   .layers = std::move(layers)};
    const auto json = image::to_json(manifest);
    std::filesystem::create_directories(path("shared") / "blobs/sha256");
    for (const auto& blob : {config_json, json})
      std::ofstream(path("shared") / "blobs/sha256" / hash::sha256(blob).hex()) << blob;
    image::Descriptor named{
        .media_type = manifest.media_type, .digest = hash::sha256(json), .size = json.size()};
    named.annotations[std::string(image::annotation::ref_name)] = "latest";
    std::ofstream(path("shared") / "index.json") << image::to_json(
        image::Index{.media_type = std::string(image::media_type::oci_index), .manifests = {named}});
  }

  static nlohmann::json config_of(const std::vector<hash::Digest>& diff_ids, const Records& records) {
    nlohmann::json config = {{"rootfs", {{"type", "layers"}, {"diff_ids", nlohmann::json::array()}}}};
    for (const auto& diff_id : diff_ids)
      config["rootfs"]["diff_ids"].push_back(diff_id.str());
    config[std::string(config_field)] = nlohmann::json::parse(to_json(records));
    return config;
  }

  static image::Descriptor layer_of(const std::string& content) {
    return {.media_type = std::string(image::media_type::oci_layer),
            .digest = hash::sha256(content),
            .size = content.size()};
  }

  const plan::KeyParts made_ = parts_of("make");
  const hash::Digest key_ = plan::key_of(made_);
};

TEST_F(CacheInImage, ALayerIsFoundByWhatItUnpacksTo) {
  const auto records = example_records({{"make", "made"}});
  const auto diff_id = records.steps.at(key_).diff_id;
  put_image(config_of({hash::sha256("base"), diff_id}, records),
            {layer_of("base"), layer_of("made in another form")});
  auto imported = imports(local("src"), worker("b"));
  const auto step = imported.find(key_);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->diff_id, diff_id);
  EXPECT_EQ(step->blob.digest, hash::sha256("made in another form"));
  EXPECT_EQ(messages_, std::vector<std::string>{});
}

TEST_F(CacheInImage, AStepWhoseLayerTheImageDoesNotHaveIsNoHit) {
  const auto records = example_records({{"make", "made"}});
  put_image(config_of({hash::sha256("base")}, records), {layer_of("base")});
  EXPECT_FALSE(imports(local("src"), worker("b")).find(key_));
  auto odd = layer_of("made");
  odd.media_type = "application/x-executable";
  put_image(config_of({records.steps.at(key_).diff_id}, records), {odd});
  EXPECT_FALSE(imports(local("src"), worker("c")).find(key_));
}

TEST_F(CacheInImage, OneThatIsWrongIsOneMessageAndNoHit) {
  const auto records = example_records({{"make", "made"}});
  auto of_another_form = config_of({records.steps.at(key_).diff_id}, records);
  of_another_form[std::string(config_field)]["steps"] = 1;
  const std::vector<std::pair<nlohmann::json, std::string>> cases = {
      {config_of({}, records), "it has 1 layers and 0 diff_ids"},
      {of_another_form, "its config: field 'oci-build.cache.v1.steps': expected a list"},
      {{{"moby.buildkit.cache.v0", "W10="}}, "BuildKit wrote it"},
      {nlohmann::json::object(), "it is an image without a cache"},
  };
  for (const auto& [config, message] : cases) {
    put_image(config, {layer_of("made")});
    messages_.clear();
    EXPECT_FALSE(imports(local("src"), worker(message)).find(key_));
    ASSERT_EQ(messages_.size(), 1) << message;
    EXPECT_NE(messages_[0].find(message), std::string::npos) << messages_[0];
  }
}

TEST_F(CacheExchange, WithDamageIsSaidAndNeverTakenForALayer) {
  write_to(local("dest"), example_records(), worker("a", {"made", "tested"}));
  const auto blob = step_of("make", "made").blob;
  const auto file = path("shared") / "blobs/sha256" / blob.digest.hex();
  std::ofstream(file, std::ios::trunc) << "evil";
  auto imported = imports(local("src"), worker("b"));
  ASSERT_TRUE(imported.find(plan::key_of(parts_of("make"))));
  EXPECT_NE(error_of([&] { imported.fetch(step_of("make", "made")); }).find("is damaged"), std::string::npos);
  EXPECT_TRUE(imported.has_failed());
  EXPECT_FALSE(worker("b").blobs().has(blob, store::Check::digest));
  std::filesystem::remove(file);
  EXPECT_NE(error_of([&] { imported.fetch(step_of("make", "made")); }), "no error");
}

TEST_F(CacheExchange, WithALayerThatIsNotWhatItsRecordSaysIsNoUse) {
  auto records = example_records({{"make", "made"}});
  records.steps.begin()->second.diff_id = hash::sha256("another");
  write_to(local("dest"), records, worker("a", {"made"}));
  for (auto* store : {&worker("b"), &worker("c", {"made"})}) {  // also where the blob is there
    auto imported = imports(local("src"), *store);
    const auto step = imported.find(plan::key_of(parts_of("make")));
    ASSERT_TRUE(step);
    EXPECT_NE(error_of([&] { imported.fetch(*step); }).find("is not what its record says"),
              std::string::npos);
    EXPECT_TRUE(imported.has_failed());
  }
}

TEST_F(CacheExchange, FindsOutWhetherALayerRemovesWhatIsBelowIt) {
  for (const auto* name : {".wh.made", "below/.wh.made", ".wh..wh..opq"}) {
    const auto step = offered("make", layer_of(name));
    auto imported = imports(local("src"), worker("b"));
    ASSERT_EQ(imported.find(plan::key_of(step.parts)), step);
    EXPECT_TRUE(imported.fetch(step).removes) << name;
    EXPECT_TRUE(imported.fetch(step).removes) << name;  // also when it was looked at before
  }
}

TEST_F(CacheExchange, TakesNoLayerThatIsNoArchive) {
  const auto step = offered("make", "text");
  auto imported = imports(local("src"), worker("b"));
  EXPECT_NE(error_of([&] { imported.fetch(step); }).find("is not what its record says"), std::string::npos);
  EXPECT_TRUE(imported.has_failed());
}

TEST_F(CacheExchange, OfADirectoryFollowsNoLinkInPlaceOfAFolder) {
  write_to(local("dest"), example_records(), worker("a", {"made", "tested"}));
  std::filesystem::create_directories(path("elsewhere"));
  for (const auto& folder : {path("shared") / "blobs" / "sha256", path("shared") / "blobs"}) {
    std::filesystem::rename(folder, path("moved"));
    std::filesystem::create_directory_symlink(path("elsewhere"), folder);
    EXPECT_NE(error_of([&] { write_to(local("dest"), example_records(), worker("a")); }), "no error");
    std::filesystem::remove(folder);
    std::filesystem::create_directory_symlink(path("moved"), folder);
    EXPECT_FALSE(imports(local("src"), worker("b")).find(plan::key_of(parts_of("make"))));
    std::filesystem::remove(folder);
    std::filesystem::rename(path("moved"), folder);
  }
  EXPECT_TRUE(std::filesystem::is_empty(path("elsewhere")));
  EXPECT_TRUE(imports(local("src"), worker("b")).find(plan::key_of(parts_of("make"))));
}

TEST_F(CacheExchange, OfADirectoryFollowsNoLinkInPlaceOfABlob) {
  write_to(local("dest"), example_records(), worker("a", {"made", "tested"}));
  const auto blob = step_of("make", "made").blob;
  const auto file = path("shared") / "blobs/sha256" / blob.digest.hex();
  std::filesystem::rename(file, path("elsewhere"));
  std::filesystem::create_symlink(path("elsewhere"), file);
  auto imported = imports(local("src"), worker("b"));
  ASSERT_TRUE(imported.find(plan::key_of(parts_of("make"))));
  EXPECT_NE(error_of([&] { imported.fetch(step_of("make", "made")); }), "no error");
}

}  // namespace
}  // namespace cache
