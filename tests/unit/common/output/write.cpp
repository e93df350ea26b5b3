#include "common/output/write.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/image/archive.hpp"
#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "tests/support/error_of.hpp"
#include "tests/unit/common/output/images.hpp"

namespace output {
namespace {

namespace fs = std::filesystem;
constexpr const char* created = "2020-01-01T00:00:00Z";

std::string blob(const hash::Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

std::vector<std::string> names_below(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    names.push_back(entry.path().lexically_relative(directory));
  std::sort(names.begin(), names.end());
  return names;
}

class Writing : public ::testing::Test {
protected:
  fs::path path(const std::string& name) const { return output_.path() / name; }

  test::Images images_;
  sys::TempDir output_{sys::scratch_directory()};
};

TEST_F(Writing, PutsSortedBlobsBeforeTheDocumentsOfADockerArchive) {
  const auto layer = images_.layer("same");
  const auto image = images_.image({layer, images_.layer("other"), layer});
  write_docker_archive(image, created, path("image.tar"));

  std::vector<std::string> blobs = {blob(image.config.digest), blob(image.manifest.digest),
                                    blob(hash::sha256("same")), blob(hash::sha256("other"))};
  std::sort(blobs.begin(), blobs.end());
  std::vector<std::string> expected = {"blobs/ 755", "blobs/sha256/ 755"};
  for (const auto& name : blobs)
    expected.push_back(name + " 444");
  for (const auto* name : {"index.json 644", "manifest.json 644", "oci-layout 444"})
    expected.emplace_back(name);

  const auto source = stream::from_fd(sys::open_readable(path("image.tar")), "image");
  tar::Reader reader(*source, "image");
  std::vector<std::string> members;
  for (tar::Entry entry; reader.next(entry);) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%o", entry.mode);
    members.push_back(entry.path + " " + mode);
    EXPECT_EQ(entry.uid + entry.gid, 0U) << entry.path;
    EXPECT_EQ(entry.mtime.seconds, 0) << entry.path;
  }
  EXPECT_EQ(members, expected);
}

TEST_F(Writing, MakesADockerArchiveThatReadsBackAsTheSameImage) {
  const auto image = images_.image({images_.layer("a"), images_.layer("b")});
  write_docker_archive(image, created, path("image.tar"));
  const auto archive = image::open(path("image.tar"));
  EXPECT_EQ(archive->index_digest(), image.manifest.digest);
  EXPECT_EQ(archive->roots()[0].annotations.count(image::annotation::ref_name), 0U);
  const auto read = archive->image({});
  EXPECT_EQ(read.config_json, image.config_json);
  ASSERT_EQ(read.layers.size(), 2U);
  EXPECT_EQ(read.layers[1].digest, hash::sha256("b"));
}

TEST_F(Writing, LaysOutOneImageUnderItsManifest) {
  const auto image = images_.image({images_.layer("a")});
  write_oci_layout({image}, created, path("image"));
  const auto index = util::parse_json(sys::read_file(path("image/index.json")), "index");
  EXPECT_EQ(index["manifests"].size(), 1U);
  EXPECT_EQ(index["manifests"][0]["digest"], image.manifest.digest.str());
  EXPECT_EQ(index["manifests"][0]["annotations"]["org.opencontainers.image.created"], created);
  EXPECT_EQ(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "latest");
  EXPECT_EQ(index["manifests"][0]["platform"]["architecture"], "amd64");
  EXPECT_EQ(sys::read_file(path("image/oci-layout")), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_EQ(sys::read_file(path("image") / blob(hash::sha256("a"))), "a");
  EXPECT_EQ(image::open(path("image"))->image({}).config_json, image.config_json);
}

TEST_F(Writing, LaysOutSeveralPlatformsUnderAnIndexAndSharedLayersOnce) {
  const auto layer = images_.layer("shared");
  const std::vector<Image> both = {images_.image({layer}, "amd64"), images_.image({layer}, "arm64")};
  write_oci_layout(both, created, path("image"), Root::index);
  const auto archive = image::open(path("image"));
  ASSERT_EQ(archive->roots().size(), 1U);
  EXPECT_EQ(archive->roots()[0].media_type, image::media_type::oci_index);
  EXPECT_EQ(archive->roots()[0].annotations.at(image::annotation::ref_name), "latest");
  ASSERT_EQ(archive->platforms().size(), 2U);
  EXPECT_EQ(archive->platforms()[0].str(), "linux/amd64");
  EXPECT_EQ(archive->image(image::Platform::parse("arm64")).config_json, both[1].config_json);
  // Two configs, two manifests, the index and the layer.
  EXPECT_EQ(names_below(path("image/blobs/sha256")).size(), 6U);
}

TEST_F(Writing, LaysOutOneImageUnderAnIndexWhereItIsToBeOne) {
  const auto image = images_.image({});
  write_oci_layout({image}, created, path("image"), Root::index);
  const auto archive = image::open(path("image"));
  EXPECT_EQ(archive->roots().at(0).media_type, image::media_type::oci_index);
  EXPECT_EQ(archive->platforms().size(), 1U);
  EXPECT_EQ(archive->image({}).config_json, image.config_json);
}

TEST_F(Writing, NamesTheImageOnceForEachTag) {
  const auto image = images_.image({});
  const std::vector<image::Reference> tags = {image::parse_repo_tag("hello:1.0"),
                                              image::parse_repo_tag("registry.example.com/app")};
  write_docker_archive(image, created, path("image.tar"), OwnLayers::kept, tags);
  write_oci_layout({image}, created, path("image"), Root::manifest, tags);
  const auto saved = util::parse_json(docker_manifest_document(image, tags), "manifest");
  EXPECT_EQ(saved[0]["RepoTags"].dump(), R"(["hello:1.0","registry.example.com/app:latest"])");
  const auto index = util::parse_json(sys::read_file(path("image/index.json")), "index");
  ASSERT_EQ(index["manifests"].size(), 2U);
  EXPECT_EQ(index["manifests"][0]["annotations"]["io.containerd.image.name"], "docker.io/library/hello:1.0");
  EXPECT_EQ(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "1.0");
  EXPECT_EQ(index["manifests"][1]["annotations"]["org.opencontainers.image.ref.name"], "latest");
  for (const auto* written : {"image.tar", "image"})
    EXPECT_EQ(image::open(path(written))->index_digest(), image.manifest.digest) << written;
}

TEST_F(Writing, LetsEverybodyReadWhatItWrites) {
  const mode_t before = ::umask(077);
  const auto image = images_.image({images_.layer("a")});
  write_docker_archive(image, created, path("image.tar"));
  write_oci_layout({image}, created, path("image"));
  ::umask(before);
  EXPECT_EQ(fs::status(path("image.tar")).permissions(), fs::perms{0644});
  EXPECT_EQ(fs::status(path("image")).permissions(), fs::perms{0755});
  for (const auto& name : names_below(path("image"))) {
    const auto status = fs::status(path("image") / name);
    const fs::perms wanted{fs::is_directory(status) ? 0555U : 0444U};
    EXPECT_EQ(status.permissions() & wanted, wanted) << name;
  }
}

TEST_F(Writing, EmptiesOwnLayersThatAreGivenUpWhileItCopiesThem) {
  auto own = images_.layer(std::string(5 << 20, 'a'));
  own.is_own = true;
  const auto base = images_.layer("b");
  const auto image = images_.image({base, own});
  write_docker_archive(image, created, path("kept.tar"));
  write_docker_archive(image, created, path("image.tar"), OwnLayers::given_up);
  EXPECT_EQ(sys::read_file(path("image.tar")), sys::read_file(path("kept.tar")));
  EXPECT_EQ(sys::read_file(images_.file_of(base)), "b");
  EXPECT_EQ(sys::read_file(images_.file_of(own)).find('a'), std::string::npos);
}

TEST_F(Writing, LinksLayersThatEverybodyMayRead) {
  const auto layer = images_.layer("a");
  fs::permissions(images_.file_of(layer), fs::perms{0644});
  write_oci_layout({images_.image({layer})}, created, path("image"));
  EXPECT_TRUE(fs::equivalent(images_.file_of(layer), path("image") / blob(hash::sha256("a"))));
}

TEST_F(Writing, FailsWhenALayerIsGone) {
  const auto layer = images_.layer("a");
  const auto image = images_.image({layer});
  fs::remove(images_.file_of(layer));
  EXPECT_THROW(write_oci_layout({image}, created, path("image")), util::Error);
  EXPECT_THROW(write_docker_archive(image, created, path("image.tar")), util::Error);
}

TEST_F(Writing, NoticesALayerThatBecameShorter) {
  const auto layer = images_.layer("content");
  const auto image = images_.image({layer});
  fs::resize_file(images_.file_of(layer), 3);
  EXPECT_NE(test::error_of([&] {
              write_docker_archive(image, created, path("image.tar"));
            }).find("is shorter than it was"),
            std::string::npos);
}

TEST_F(Writing, RefusesALayoutThatIsThereAlready) {
  sys::write_file(path("image"), "mine");
  EXPECT_THROW(write_oci_layout({images_.image({})}, created, path("image")), util::Error);
  EXPECT_EQ(names_below(output_.path()), std::vector<std::string>{"image"});
}

}  // namespace
}  // namespace output
