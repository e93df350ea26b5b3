// Image documents: what is read of them, what is refused, what we write.
#include "common/image/manifest.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace {

using test::error_of;

const std::string digest_a = "sha256:" + std::string(64, 'a');
const std::string digest_b = "sha256:" + std::string(64, 'b');

std::string descriptor(const std::string& digest, const std::string& size = "7",
                       const std::string& more = "") {
  return R"({"mediaType":"m","digest":")" + digest + R"(","size":)" + size + more + "}";
}

TEST(Manifest, HoldsConfigAndLayersLowestFirst) {
  const auto manifest = image::parse_manifest(R"({"schemaVersion":2,"config":)" + descriptor(digest_a, "1") +
                                                  R"(,"layers":[)" + descriptor(digest_b, "2") + "," +
                                                  descriptor(digest_a, "3") + R"(],"subject":{"x":1}})",
                                              "it");
  EXPECT_EQ(manifest.media_type, image::media_type::oci_manifest);
  EXPECT_EQ(manifest.config.digest.str(), digest_a);
  ASSERT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(manifest.layers[0].digest.str(), digest_b);
  EXPECT_EQ(manifest.layers[1].size, 3U);
}

TEST(Manifest, MayHaveNoLayers) {
  EXPECT_TRUE(image::parse_manifest(
                  R"({"schemaVersion":2,"layers":null,"config":)" + descriptor(digest_a) + "}", "it")
                  .layers.empty());
}

TEST(Manifest, IsRefusedWhenItCannotBeRight) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", "it is not JSON: error at line 1, column 1"},
      {"[]", "it: expected an object"},
      {R"({"schemaVersion":1})", "it: field 'schemaVersion': expected 2"},
      {R"({"schemaVersion":2})", "it: field 'config': missing"},
      {R"({"schemaVersion":2,"config":)" + descriptor("sha256:AA") + "}",
       "it: field 'config.digest': invalid digest 'sha256:AA': expected 64 lower-case hex digits"},
      {R"({"schemaVersion":2,"config":)" + descriptor("../../etc/passwd") + "}",
       "it: field 'config.digest': invalid digest '../../etc/passwd': expected 'sha256:' and 64 hex digits"},
      {R"({"schemaVersion":2,"config":)" + descriptor(digest_a, "-1") + "}",
       "it: field 'config.size': expected a whole number, 0 or more"},
      {R"({"schemaVersion":2,"config":)" + descriptor(digest_a, "18446744073709551615") + "}",
       "it: field 'config.size': too large"},
      {R"({"schemaVersion":2,"layers":{},"config":)" + descriptor(digest_a) + "}",
       "it: field 'layers': expected a list of objects"},
      {R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":)" +
           descriptor(digest_a) + "}",
       "it: field 'mediaType': expected that of an image manifest"},
      {R"({"schemaVersion":2,"manifests":[],"config":)" + descriptor(digest_a) + "}",
       "it: field 'manifests': a manifest cannot be an index too"},
      {R"({"schemaVersion":2,"schemaVersion":2})", "it has the key 'schemaVersion' twice"},
  };
  for (const auto& [json, message] : vectors) {
    EXPECT_EQ(error_of([&, &text = json] { image::parse_manifest(text, "it"); }), message);
  }
}

TEST(Index, HoldsPlatformsAndAnnotations) {
  const auto index = image::parse_index(
      R"({"schemaVersion":2,"manifests":[)" +
          descriptor(
              digest_a, "1",
              R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8"},"annotations":{"a":"b"})") +
          "]}",
      "it");
  ASSERT_EQ(index.manifests.size(), 1U);
  EXPECT_EQ(index.manifests[0].platform->str(), "linux/arm64");
  EXPECT_EQ(index.manifests[0].annotations.at("a"), "b");
}

TEST(Index, CannotBeAManifestToo) {
  EXPECT_EQ(error_of([] { image::parse_index(R"({"schemaVersion":2,"manifests":[],"layers":[]})", "it"); }),
            "it: field 'layers': an index cannot be a manifest too");
}

TEST(Config, HoldsWhatContainersStartWith) {
  const auto config = image::parse_config(
      R"({"os":"linux","architecture":"amd64","config":{"User":"me","Env":["A=b","C="],"Entrypoint":["/e"],)"
      R"("Cmd":[],"WorkingDir":"/w","Labels":{"l":"v"},"ExposedPorts":{"80/tcp":{}}},)"
      R"("rootfs":{"type":"layers","diff_ids":[")" +
          digest_a + R"("]},"history":[]})",
      "it");
  EXPECT_EQ(config.platform.str(), "linux/amd64");
  EXPECT_EQ(config.user, "me");
  EXPECT_EQ(config.env, (std::vector<std::string>{"A=b", "C="}));
  EXPECT_EQ(config.entrypoint, std::vector<std::string>{"/e"});
  EXPECT_EQ(config.cmd, std::vector<std::string>());
  EXPECT_EQ(config.working_dir, "/w");
  EXPECT_EQ(config.labels.at("l"), "v");
  ASSERT_EQ(config.diff_ids.size(), 1U);
  EXPECT_EQ(config.diff_ids[0].str(), digest_a);
}

TEST(Config, MayLeaveOutOrNullWhatItDoesNotSay) {
  for (const auto* json :
       {"{}", R"({"config":null,"rootfs":null})",
        R"({"config":{"Env":null,"Entrypoint":null,"Cmd":null,"Labels":null,"User":null}})",
        R"({"rootfs":{"type":"layers","diff_ids":null}})"}) {
    const auto config = image::parse_config(json, "it");
    EXPECT_EQ(config.platform, image::Platform());
    EXPECT_FALSE(config.entrypoint);
    EXPECT_FALSE(config.cmd);
    EXPECT_TRUE(config.env.empty());
  }
}

TEST(Config, IsRefusedWhenAFieldHasAnotherType) {
  EXPECT_EQ(error_of([] { image::parse_config(R"({"config":{"Env":"A=b"}})", "it"); }),
            "it: field 'config.Env': expected a list of strings");
  EXPECT_EQ(error_of([] { image::parse_config(R"({"config":{"Labels":{"a":1}}})", "it"); }),
            "it: field 'config.Labels.a': expected a string");
  EXPECT_EQ(error_of([] { image::parse_config(R"({"rootfs":{"diff_ids":["x"]}})", "it"); }),
            "it: field 'rootfs.diff_ids': invalid digest 'x': expected 'sha256:' and 64 hex digits");
}

TEST(SavedImages, AreAListOfNames) {
  const auto images = image::parse_saved_images(
      R"([{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar"]},{"Config":"d"}])", "it");
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].config, "c.json");
  EXPECT_EQ(images[0].layers, std::vector<std::string>{"a/layer.tar"});
  EXPECT_TRUE(images[1].layers.empty());
  EXPECT_EQ(error_of([] { image::parse_saved_images("{}", "it"); }), "it: expected a list");
}

TEST(Documents, AreWrittenAsTheyAreRead) {
  image::Descriptor config{"m", hash::Digest::parse(digest_a), 1};
  config.annotations["k"] = "v";
  config.platform = image::Platform{"linux", "arm", "v7"};
  const auto manifest =
      image::to_json(image::Manifest{std::string(image::media_type::oci_manifest), config, {config}});
  EXPECT_EQ(
      manifest,
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
      R"({"mediaType":"m","digest":")" +
          digest_a +
          R"(","size":1,"annotations":{"k":"v"},"platform":{"architecture":"arm","os":"linux","variant":"v7"}},)"
          R"("layers":[{"mediaType":"m","digest":")" +
          digest_a +
          R"(","size":1,"annotations":{"k":"v"},"platform":{"architecture":"arm","os":"linux","variant":"v7"}}]})");
  EXPECT_EQ(image::to_json(image::parse_manifest(manifest, "it")), manifest);
  const auto index =
      image::to_json(image::Index{std::string(image::media_type::docker_manifest_list), {config}});
  EXPECT_EQ(image::to_json(image::parse_index(index, "it")), index);
}

}  // namespace
