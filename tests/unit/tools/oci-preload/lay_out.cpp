// What a request looks like when its images are laid out.
#include "tools/oci-preload/lay_out.hpp"

#include <gtest/gtest.h>

#include "common/sys/remove_tree.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"
#include "tests/support/killed_at_call.hpp"

namespace {

namespace fs = std::filesystem;
using document::Preload;
using test::error_of;

class LayOut : public testing::Test {
protected:
  LayOut() {
    test::Files files;
    const auto manifest = test::add_image(files, "linux/amd64", {"layer"});
    manifest_ = manifest.digest;
    test::write_files(directory_.path() / "image", test::finish_layout(files, {manifest}));
    fs::create_directory(work_dir());
  }

  fs::path work_dir() const { return directory_.path() / "work"; }

  Preload preload(Preload::Role role, const std::string& name, const std::string& path) const {
    return {role, name, directory_.path() / path, std::nullopt};
  }

  sys::TempDir directory_{"/tmp"};
  hash::Digest manifest_ = hash::sha256("");
  document::Request request_;
};

TEST_F(LayOut, FillsInEveryLayout) {
  request_.preloads = {preload(Preload::Role::build_arg, "base", "image"),
                       preload(Preload::Role::context, "alpine", "image")};
  oci_preload::lay_out(request_, work_dir());
  for (const auto& preload : request_.preloads) {
    ASSERT_TRUE(preload.layout);
    EXPECT_EQ(preload.layout->digest, manifest_);
    EXPECT_TRUE(fs::exists(preload.layout->directory / "blobs/sha256" / manifest_.hex()));
  }
}

TEST_F(LayOut, KeepsALayoutThatIsThere) {
  request_.preloads = {preload(Preload::Role::build_arg, "base", "absent")};
  request_.preloads[0].layout = Preload::Layout{"/elsewhere", manifest_};
  oci_preload::lay_out(request_, work_dir());
  EXPECT_EQ(request_.preloads[0].layout->directory, "/elsewhere");
  EXPECT_TRUE(fs::is_empty(work_dir()));
}

TEST_F(LayOut, MakesNothingWithoutImages) {
  oci_preload::lay_out(request_, work_dir());
  EXPECT_TRUE(fs::is_empty(work_dir()));
}

TEST_F(LayOut, NamesTheParameterAndLeavesNothing) {
  const auto absent =
      "cannot open '" + (directory_.path() / "absent").string() + "': No such file or directory";
  request_.preloads = {preload(Preload::Role::build_arg, "other", "image"),
                       preload(Preload::Role::build_arg, "base", "absent")};
  EXPECT_EQ(error_of([&] { oci_preload::lay_out(request_, work_dir()); }), "IMAGE_ARG_base: " + absent);
  request_.preloads = {preload(Preload::Role::context, "alpine", "absent")};
  EXPECT_EQ(error_of([&] { oci_preload::lay_out(request_, work_dir()); }),
            "BUILD_CONTEXTS: 'alpine': " + absent);
  EXPECT_TRUE(fs::is_empty(work_dir()));
}

TEST_F(LayOut, KilledAtAnyCallLeavesNothingInTheWayOfTheNext) {
  request_.preloads = {preload(Preload::Role::build_arg, "base", "image")};
  const auto place = work_dir() / "preloads";
  const auto kill_at = [&](int number) {
    return test::killed_at_call(number, [&] {
      test::count_calls_from_here();
      oci_preload::lay_out(request_, work_dir());
    });
  };
  for (int number = 1; kill_at(number); number += 3) {
    EXPECT_EQ(fs::exists(place), fs::exists(place / "index.json")) << "killed at call " << number;
    sys::remove_tree(place);
    auto request = request_;
    oci_preload::lay_out(request, work_dir());
    EXPECT_EQ(std::distance(fs::directory_iterator(work_dir()), fs::directory_iterator()), 1);
    if (HasFailure()) return;
    sys::remove_tree(place);
  }
}

}  // namespace
