// Layers from blob to file: what is checked on the way, and what an error names.
#include "common/layer/unpack.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "common/hash/sha256.hpp"
#include "common/stream/sink.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/tar_archive.hpp"

namespace {

using test::error_of;

std::string gzipped(const std::string& content) {
  const sys::UniqueFd file(::memfd_create("layer", MFD_CLOEXEC));
  const auto sink = stream::compress(stream::to_fd(file.get(), "it"), stream::Compressor::gzip, std::nullopt);
  sink->write(std::as_bytes(std::span(content)));
  sink->finish();
  ::lseek(file.get(), 0, SEEK_SET);
  return sys::read_to_end(file.get(), "it");
}

class Unpack : public testing::Test {
protected:
  // Puts a layer on top of the image; `blob` is what is stored of it.
  void add_layer(const std::string& archive, const std::string& blob) {
    const image::Descriptor descriptor{std::string(image::media_type::oci_layer_gzip), hash::sha256(blob),
                                       blob.size()};
    blobs_[descriptor.digest.str()] = blob;
    image_.layers.push_back(descriptor);
    image_.config.diff_ids.push_back(hash::sha256(archive));
  }

  void add_layer(const std::string& archive) { add_layer(archive, gzipped(archive)); }

  layer::Report unpack() {
    auto root = sys::RootedDir::open(directory_.path());
    const auto open = [&](const image::Descriptor& blob) {
      return stream::from_string(blobs_.at(blob.digest.str()));
    };
    return layer::unpack(image_, open, "image 'it'", root);
  }

  std::string content(const char* path) const { return sys::read_file(directory_.path() / path); }

  image::Image image_{std::nullopt, hash::sha256(""), "", {}, {}};
  std::map<std::string, std::string> blobs_;
  sys::TempDir directory_{testing::TempDir()};
};

TEST_F(Unpack, PutsLayersOnEachOtherInTheirOrder) {
  add_layer(test::archive({{.path = "file", .content = "below"}, {.path = "gone", .content = "x"}}));
  add_layer(test::archive({{.path = "file", .content = "above"}, {.path = ".wh.gone"}}));
  const auto report = unpack();
  EXPECT_EQ(content("file"), "above");
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "gone"));
  EXPECT_EQ(report.members, 4U);
  EXPECT_EQ(report.bytes, 11U);
}

TEST_F(Unpack, TakesALayerByItsContentWhateverItsMediaTypeSays) {
  const auto archive = test::archive({{.path = "file", .content = "plain"}});
  add_layer(archive, archive);
  unpack();
  EXPECT_EQ(content("file"), "plain");
}

TEST_F(Unpack, RefusesABlobThatIsNotTheOneOfItsDigest) {
  add_layer(test::archive({{.path = "file"}}));
  add_layer(test::archive({{.path = "other"}}));
  auto& blob = blobs_.at(image_.layers[1].digest.str());
  blob = gzipped(test::archive({{.path = "evil"}}));
  image_.layers[1].size = blob.size();
  EXPECT_EQ(error_of([&] { unpack(); }),
            "image 'it': layer 2 of 2: the layer as it is stored is damaged: its digest is " +
                hash::sha256(blob).str() + ", not " + image_.layers[1].digest.str());
}

TEST_F(Unpack, RefusesALayerThatIsNotTheOneOfItsDiffId) {
  const auto archive = test::archive({{.path = "file"}});
  add_layer(archive);
  image_.config.diff_ids[0] = hash::sha256("another");
  EXPECT_EQ(error_of([&] { unpack(); }),
            "image 'it': layer 1 of 1: the layer unpacked is damaged: its digest is " +
                hash::sha256(archive).str() + ", not " + hash::sha256("another").str());
}

TEST_F(Unpack, RefusesABlobOfAnotherSize) {
  add_layer(test::archive({{.path = "file"}}));
  ++image_.layers[0].size;
  EXPECT_NE(error_of([&] { unpack(); }).find("image 'it': layer 1 of 1: the layer as it is stored"),
            std::string::npos);
}

TEST_F(Unpack, RefusesMoreLayersThanTheConfigLists) {
  add_layer(test::archive({{.path = "file"}}));
  image_.config.diff_ids.clear();
  EXPECT_EQ(error_of([&] { unpack(); }), "image 'it' is damaged: it has 1 layers, its config lists 0");
}

}  // namespace
