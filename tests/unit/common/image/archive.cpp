// Archives of every kind: what is found in them, and how they may not be.
#include "common/image/archive.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "common/stream/verified_source.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"

namespace {

using image::Format;
using image::Platform;
using test::add_blob;
using test::add_image;
using test::add_image_of_platform;
using test::add_index;
using test::error_of;
using test::Files;
using test::finish_layout;
using test::Member;

std::unique_ptr<image::Archive> open_tar(const std::string& bytes) {
  return image::open(test::file_with(bytes), "it");
}

std::unique_ptr<image::Archive> open_tar(const Files& files) {
  return open_tar(test::tar_of(files));
}

// An image with this machine's platform, and the same image for another.
const std::string here = Platform::host().str();
const std::string there = Platform::host().architecture == "riscv64" ? "linux/s390x" : "linux/riscv64";

Files old_style(const std::string& layer_name = "abc/layer.tar") {
  const auto config = test::config_json(here, {"layer one"});
  const auto config_name = hash::sha256(config).hex() + ".json";
  return {{config_name, config},
          {layer_name, "layer one"},
          {"manifest.json",
           R"([{"Config":")" + config_name + R"(","RepoTags":["a/b:1"],"Layers":[")" + layer_name + "\"]}]"}};
}

TEST(OciArchive, GivesTheImageOfATar) {
  Files files;
  const auto manifest = add_image(files, here, {"layer one", "layer two"});
  const auto archive = open_tar(finish_layout(files, {manifest}));
  EXPECT_EQ(archive->format(), Format::oci_archive);
  EXPECT_EQ(archive->index_digest(), manifest.digest);
  EXPECT_EQ(archive->platforms(), std::vector{Platform::host()});
  const auto image = archive->image(std::nullopt);
  EXPECT_EQ(image.manifest->digest, manifest.digest);
  EXPECT_EQ(image.config_digest, hash::sha256(image.config_json));
  EXPECT_EQ(image.config.env, std::vector<std::string>{"A=b"});
  ASSERT_EQ(image.layers.size(), 2U);
  EXPECT_EQ(stream::read_all(*archive->open_blob(image.layers[1]), "layer", 100), "layer two");
}

TEST(OciArchive, GivesTheImageOfADirectory) {
  Files files;
  const auto manifest = add_image(files, here, {"layer one"});
  const sys::TempDir directory("/tmp");
  test::write_files(directory.path(), finish_layout(files, {manifest}));
  const auto archive = image::open(directory.path());
  EXPECT_EQ(archive->format(), Format::oci_layout);
  const auto image = archive->image(std::nullopt);
  const auto location = archive->find(image.layers[0]);
  EXPECT_EQ(location->file, directory.path() / "blobs/sha256" / image.layers[0].digest.hex());
  EXPECT_EQ(location->size, 9U);
}

TEST(OciArchive, IsADockerArchiveWhereManifestJsonStandsBesideIt) {
  Files files;
  const auto manifest = add_image(files, here, {"layer one"});
  finish_layout(files, {manifest})["manifest.json"] = "[]";
  const auto archive = open_tar(files);
  EXPECT_EQ(archive->format(), Format::docker_archive);
  EXPECT_EQ(archive->image(std::nullopt).manifest->digest, manifest.digest);
}

TEST(OciArchive, ReadsNamesWithADotInFront) {
  Files files, dotted;
  const auto manifest = add_image(files, here, {"layer one"});
  for (const auto& [name, content] : finish_layout(files, {manifest}))
    dotted["./" + name] = content;
  EXPECT_EQ(open_tar(dotted)->image(std::nullopt).manifest->digest, manifest.digest);
}

TEST(OciArchive, ChoosesThePlatform) {
  Files files;
  const auto first = add_image_of_platform(files, there, {"x"});
  const auto second = add_image_of_platform(files, here, {"y"});
  const auto index = add_index(files, {first, second});
  const auto archive = open_tar(finish_layout(files, {index}));
  EXPECT_EQ(archive->index_digest(), index.digest);
  EXPECT_EQ(archive->platforms(), (std::vector{Platform::parse(there), Platform::host()}));
  EXPECT_EQ(archive->image(std::nullopt).manifest->digest, second.digest);
  EXPECT_EQ(archive->image(Platform::parse(there)).manifest->digest, first.digest);
  EXPECT_EQ(error_of([&] { archive->image(Platform::parse("windows/amd64")); }),
            "it holds no image for windows/amd64, only for " + there + ", " + here);
}

TEST(OciArchive, ChoosesTheNearestVariant) {
  Files files;
  const auto v5 = add_image_of_platform(files, "linux/arm/v5", {"5"});
  const auto v6 = add_image_of_platform(files, "linux/arm/v6", {"6"});
  const auto archive = open_tar(finish_layout(files, {add_index(files, {v5, v6})}));
  EXPECT_EQ(archive->image(Platform::parse("linux/arm/v7")).manifest->digest, v6.digest);
  EXPECT_EQ(archive->image(Platform::parse("linux/arm64")).manifest->digest, v6.digest);
  EXPECT_EQ(archive->image(Platform::parse("linux/arm/v5")).manifest->digest, v5.digest);
}

TEST(OciArchive, TakesTheOnlyImageWhateverItsPlatform) {
  Files files;
  const auto manifest = add_image(files, there, {"x"});
  const auto archive = open_tar(finish_layout(files, {manifest}));
  EXPECT_EQ(archive->image(std::nullopt).manifest->digest, manifest.digest);
  EXPECT_EQ(error_of([&] { archive->image(Platform::host()); }),
            "it holds no image for " + here + ", only for " + there);
}

TEST(OciArchive, FollowsAnIndexInsideAnIndex) {
  Files files;
  const auto manifest = add_image(files, here, {"x"});
  const auto inner = add_index(files, {manifest});
  const auto outer = add_index(files, {inner});
  const auto archive = open_tar(finish_layout(files, {outer}));
  EXPECT_EQ(archive->index_digest(), outer.digest);
  EXPECT_EQ(archive->image(std::nullopt).manifest->digest, manifest.digest);
}

TEST(OciArchive, RefusesIndexesNestedTooDeep) {
  Files files;
  auto index = add_index(files, {add_image(files, here, {"x"})});
  for (int i = 0; i < 8; ++i)
    index = add_index(files, {index});
  EXPECT_TRUE(error_of([&] {
                open_tar(finish_layout(files, {index}));
              }).ends_with("is nested too deep in other indexes"));
}

TEST(OciArchive, LeavesAttestationsOut) {
  Files files;
  const auto manifest = add_image_of_platform(files, here, {"x"});
  auto attestation = add_blob(files, "{}", image::media_type::oci_manifest);
  attestation.platform = Platform{"unknown", "unknown", ""};
  const auto index = add_index(files, {manifest, attestation});
  const auto archive = open_tar(finish_layout(files, {index}));
  EXPECT_EQ(archive->platforms(), std::vector{Platform::host()});
  EXPECT_EQ(archive->image(std::nullopt).manifest->digest, manifest.digest);
}

TEST(OciArchive, LeavesOutPlatformsWhoseBlobsWereNotSaved) {
  Files files, elsewhere;
  const auto absent = add_image_of_platform(elsewhere, there, {"x"});
  const auto manifest = add_image_of_platform(files, here, {"y"});
  const auto archive = open_tar(finish_layout(files, {add_index(files, {absent, manifest})}));
  EXPECT_EQ(archive->platforms(), std::vector{Platform::host()});
}

TEST(OciArchive, TakesOneImageUnderTwoTagsForOne) {
  Files files;
  auto first = add_image(files, here, {"x"}), second = first;
  first.annotations["org.opencontainers.image.ref.name"] = "1";
  second.annotations["org.opencontainers.image.ref.name"] = "2";
  const auto archive = open_tar(finish_layout(files, {first, second}));
  EXPECT_EQ(archive->roots().size(), 1U);
  EXPECT_EQ(archive->index_digest(), first.digest);
}

TEST(OciArchive, RefusesToChooseBetweenTwoTaggedImages) {
  Files files;
  const auto first = add_image(files, here, {"x"}), second = add_image(files, here, {"y"});
  const auto archive = open_tar(finish_layout(files, {first, second}));
  EXPECT_EQ(archive->index_digest(), std::nullopt);
  EXPECT_EQ(error_of([&] { archive->image(std::nullopt); }),
            "it holds several images for " + here + "; save one alone");
}

TEST(OciArchive, SaysThatItHoldsNothing) {
  Files files;
  const auto archive = open_tar(finish_layout(files, {}));
  EXPECT_EQ(error_of([&] { archive->image(std::nullopt); }), "it holds no image");
}

TEST(OciArchive, ChecksManifestsAndConfigs) {
  Files files;
  const auto manifest = add_image(files, here, {"x"});
  auto damaged = finish_layout(files, {manifest});
  auto& bytes = damaged["blobs/sha256/" + manifest.digest.hex()];
  bytes[bytes.size() - 3] ^= 1;
  EXPECT_TRUE(error_of([&] {
                open_tar(damaged);
              }).starts_with("it: blob " + manifest.digest.str() + " is damaged: its digest"));
  bytes += " ";
  EXPECT_TRUE(error_of([&] {
                open_tar(damaged);
              }).starts_with("it: blob " + manifest.digest.str() + " is damaged: its size"));
}

TEST(OciArchive, NamesABlobThatIsMissing) {
  Files files;
  const auto manifest = add_image(files, here, {"x"});
  finish_layout(files, {manifest}).erase("blobs/sha256/" + manifest.digest.hex());
  EXPECT_EQ(error_of([&] { open_tar(files); }), "it: blob " + manifest.digest.str() + " is missing");
}

TEST(OciArchive, RefusesADocumentThatIsTooLarge) {
  Files files;
  const auto manifest = add_blob(files, "{}" + std::string(5 << 20, ' '), image::media_type::oci_manifest);
  EXPECT_EQ(error_of([&] { open_tar(finish_layout(files, {manifest})); }),
            "it: blob " + manifest.digest.str() + " is larger than 4.0 MiB");
}

TEST(OciArchive, RefusesAManifestWithMoreLayersThanItsConfig) {
  Files files;
  const auto config = add_blob(files, test::config_json(here, {}), image::media_type::oci_config);
  const auto layer = add_blob(files, "x", image::media_type::oci_layer);
  const auto manifest = add_blob(
      files, image::to_json(image::Manifest{std::string(image::media_type::oci_manifest), config, {layer}}),
      image::media_type::oci_manifest);
  const auto archive = open_tar(finish_layout(files, {manifest}));
  EXPECT_EQ(error_of([&] { archive->image(std::nullopt); }),
            "it: blob " + manifest.digest.str() + " has 1 layers, but its config 0");
}

TEST(TarArchive, RefusesAMemberThatStandsThereTwice) {
  Files files;
  const auto manifest = add_image(files, here, {"x"});
  auto bytes = test::tar_of(finish_layout(files, {manifest}));
  bytes.resize(bytes.size() - test::end_mark().size());
  bytes += test::archive({{.path = "./index.json", .content = "{}"}});
  EXPECT_EQ(error_of([&] { open_tar(bytes); }), "it holds 'index.json' twice");
}

TEST(TarArchive, TakesNoNameThatLeavesTheArchive) {
  Files files;
  const auto manifest = add_image(files, here, {"x"});
  auto index = finish_layout(files, {manifest}).extract("index.json");
  for (const auto* name : {"../index.json", "/index.json", "a/../index.json"}) {
    auto moved = files;
    moved[name] = index.mapped();
    EXPECT_TRUE(error_of([&] { open_tar(moved); }).starts_with("it is no image: it has neither")) << name;
  }
}

TEST(TarArchive, SaysWhatIsNoTar) {
  for (const auto& bytes : {std::string("plain text"), std::string(2000, 'x')}) {
    EXPECT_TRUE(error_of([&] { open_tar(bytes); }).starts_with("it is no image: it is not a tar archive"))
        << bytes;
  }
  EXPECT_TRUE(error_of([] { open_tar(""); }).starts_with("it is no image: ")) << "empty";
}

TEST(TarArchive, SaysThatItIsCutOff) {
  Files files;
  const auto manifest = add_image(files, here, {"x"});
  const auto bytes = test::tar_of(finish_layout(files, {manifest}));
  EXPECT_TRUE(error_of([&] { open_tar(bytes.substr(0, 600)); }).starts_with("it is damaged: "))
      << "within content";
  EXPECT_TRUE(error_of([&] { open_tar(bytes.substr(0, 1024 + 100)); }).starts_with("it is damaged: "))
      << "in a header";
}

TEST(TarArchive, IsReadFromAPipe) {
  Files files;
  const auto manifest = add_image(files, here, {std::string(300'000, 'x')});
  auto pipe = sys::make_pipe();
  std::thread writer([&, bytes = test::tar_of(finish_layout(files, {manifest}))] {
    sys::write_all(pipe.write_end.get(), bytes, "pipe");
    pipe.write_end = sys::UniqueFd();
  });
  const auto archive = image::open(std::move(pipe.read_end), "stdin");
  writer.join();
  const auto image = archive->image(std::nullopt);
  EXPECT_EQ(stream::digest_of(*archive->open_blob(image.layers[0])), image.layers[0].digest);
}

TEST(DirectoryArchive, FollowsNoSymlink) {
  Files files;
  const auto manifest = add_image(files, here, {"x"});
  const sys::TempDir directory("/tmp");
  test::write_files(directory.path(), finish_layout(files, {manifest}));
  const auto blob = directory.path() / "blobs/sha256" / manifest.digest.hex();
  std::filesystem::rename(blob, directory.path() / "elsewhere");
  std::filesystem::create_symlink("../../elsewhere", blob);
  EXPECT_EQ(error_of([&] { image::open(directory.path()); }),
            "'" + blob.string() + "' is reached through a symbolic link, which images may not hold");
  std::filesystem::rename(directory.path() / "blobs", directory.path() / "real");
  std::filesystem::create_symlink("real", directory.path() / "blobs");
  EXPECT_TRUE(error_of([&] {
                image::open(directory.path());
              }).ends_with("is reached through a symbolic link, which images may not hold"));
}

TEST(DirectoryArchive, DoesNotWaitForAFifo) {
  const sys::TempDir directory("/tmp");
  ASSERT_EQ(::mkfifo((directory.path() / "index.json").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { image::open(directory.path()); }),
            "'" + (directory.path() / "index.json").string() + "' is a FIFO, not a file");
}

TEST(DirectoryArchive, SaysWhatIsNoLayout) {
  const sys::TempDir directory("/tmp");
  EXPECT_TRUE(error_of([&] {
                image::open(directory.path());
              }).starts_with("'" + directory.path().string() + "' is no image: it has no 'index.json'"));
  test::write_files(directory.path(), {{"version", ""}, {"manifest.json", "{}"}});
  EXPECT_TRUE(error_of([&] { image::open(directory.path()); }).ends_with("copy it to 'oci:' with skopeo"));
}

TEST(DirectoryArchive, SaysWhereTheImageIsThatWasMeant) {
  for (const auto& [file, meant] :
       {std::pair("image.tar", "image.tar"), std::pair("oci/index.json", "oci")}) {
    const sys::TempDir directory("/tmp");
    test::write_files(directory.path(), {{file, ""}});
    EXPECT_EQ(error_of([&] { image::open(directory.path()); }),
              "'" + directory.path().string() + "' is no image, but holds one: give '" +
                  (directory.path() / meant).string() + "'");
  }
}

TEST(DockerArchive, GivesConfigAndLayers) {
  const auto archive = open_tar(old_style());
  EXPECT_EQ(archive->format(), Format::docker_archive);
  EXPECT_EQ(archive->index_digest(), std::nullopt);
  EXPECT_EQ(archive->platforms(), std::vector{Platform::host()});
  const auto image = archive->image(std::nullopt);
  EXPECT_FALSE(image.manifest);
  ASSERT_EQ(image.layers.size(), 1U);
  EXPECT_EQ(image.layers[0].media_type, image::media_type::oci_layer);
  EXPECT_EQ(image.layers[0].digest, hash::sha256("layer one"));
  EXPECT_EQ(stream::read_all(*archive->open_blob(image.layers[0]), "layer", 100), "layer one");
}

TEST(DockerArchive, FollowsLinksBetweenLayers) {
  auto files = old_style();
  for (const auto& [kind, target] : {std::pair('2', "../def/layer.tar"), std::pair('1', "def/layer.tar")}) {
    std::vector<Member> members;
    for (const auto& [name, content] : files) {
      if (name != "abc/layer.tar") members.push_back({.path = name, .content = content});
    }
    members.push_back({.path = "abc/layer.tar", .kind = kind, .link_target = target});
    members.push_back({.path = "def/layer.tar", .content = "layer one"});
    const auto archive = open_tar(test::archive(members));
    const auto image = archive->image(std::nullopt);
    EXPECT_EQ(stream::read_all(*archive->open_blob(image.layers[0]), "layer", 100), "layer one");
  }
}

TEST(DockerArchive, RefusesLinksThatLeaveItOrLeadNowhere) {
  const auto files = old_style();
  for (const auto* target : {"../../etc/passwd", "/etc/passwd", "../abc/layer.tar", "missing"}) {
    std::vector<Member> members = {{.path = "abc/layer.tar", .kind = '2', .link_target = target}};
    for (const auto& [name, content] : files) {
      if (name != "abc/layer.tar") members.push_back({.path = name, .content = content});
    }
    const auto archive = open_tar(test::archive(members));
    EXPECT_NE(error_of([&] { archive->image(std::nullopt); }), "no error") << target;
  }
}

TEST(DockerArchive, TellsCompressedLayersByContent) {
  // An empty gzip stream: its digest is not the diff_id of the config.
  const std::string gzip("\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0", 20);
  for (const auto& name : {std::string("abc/layer.tar"), hash::sha256(gzip).hex() + ".tar.gz"}) {
    auto files = old_style(name);
    files[name] = gzip;
    const auto image = open_tar(files)->image(std::nullopt);
    EXPECT_EQ(image.layers[0].media_type, image::media_type::oci_layer_gzip);
    EXPECT_EQ(image.layers[0].digest, hash::sha256(gzip));
  }
}

TEST(DockerArchive, ChecksTheConfigAgainstItsName) {
  auto files = old_style();
  for (auto& [name, content] : files) {
    if (name.ends_with(".json") && name != "manifest.json") content += " ";
  }
  EXPECT_NE(error_of([&] { open_tar(files); }).find(".json' is damaged: its digest is sha256:"),
            std::string::npos);
}

TEST(DockerArchive, NamesAMemberThatIsMissing) {
  auto files = old_style();
  files.erase("abc/layer.tar");
  const auto archive = open_tar(files);
  EXPECT_EQ(error_of([&] { archive->image(std::nullopt); }),
            "it has no 'abc/layer.tar', which its 'manifest.json' names");
}

}  // namespace
