// What of the images and directories that are given a Dockerfile uses.
#include "tools/oci-solve/unused_images.hpp"

#include <gtest/gtest.h>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace {

using Words = std::vector<std::string>;
using Role = document::Preload::Role;

// The names that are warned of, of the images for the ARG "base", for "debian:12", and the directory "dir".
class UnusedImages : public testing::Test {
protected:
  UnusedImages() {
    request_.context = directory_.path();
    request_.dockerfile = directory_.path() / "Dockerfile";
    request_.contexts = {{"dir", "."}};
    for (const auto& [role, name] :
         {std::pair(Role::build_arg, "base"), std::pair(Role::context, "debian:12")}) {
      request_.preloads.push_back(
          {.role = role,
           .name = name,
           .path = "x",
           .layout = document::Preload::Layout{
               .directory = "x", .digest = hash::Digest::parse("sha256:" + std::string(64, 'a'))}});
    }
  }

  Words warned_of(const std::string& dockerfile) {
    sys::write_file(request_.dockerfile, dockerfile);
    Words names;
    for (const auto& warning : oci_solve::warnings_of_unused_images(native::Definition(request_))) {
      for (const char* name : {"IMAGE_ARG_base", "debian:12", "dir"}) {
        if (warning.find(name) != std::string::npos) names.emplace_back(name);
      }
    }
    return names;
  }

  sys::TempDir directory_{testing::TempDir()};
  document::Request request_;
};

TEST_F(UnusedImages, AreAllInAFileThatNamesNone) {
  EXPECT_EQ(warned_of("FROM debian:11\nRUN echo debian:12 dir base\n"),
            (Words{"IMAGE_ARG_base", "debian:12", "dir"}));
}

TEST_F(UnusedImages, AreNotThoseBehindFromAndInCopiesAndMounts) {
  EXPECT_EQ(warned_of("ARG base\nFROM $base\nCOPY --from=docker.io/library/debian:12 / /\nRUN "
                      "--mount=from=dir,target=/x y\n"),
            Words{});
  EXPECT_EQ(warned_of("ARG base=x\nARG v=12\nFROM debian:${v}\nFROM ${base} AS dir\n"), Words{});
  EXPECT_EQ(warned_of("FROM debian:12\nONBUILD COPY --from=dir / /\n"), Words{"IMAGE_ARG_base"});
}

TEST_F(UnusedImages, AreNotThoseOfAnArgThatAStageKnows) {
  const Words others = {"debian:12", "dir"};
  EXPECT_EQ(warned_of("FROM x\nARG base\nRUN echo $base\n"), others);
  EXPECT_EQ(warned_of("ARG base\nARG other=$base\nFROM x\nARG other\n"), others);
  EXPECT_EQ(warned_of("ARG base\nARG other=$base\nFROM x\n"), (Words{"IMAGE_ARG_base", "debian:12", "dir"}));
}

TEST_F(UnusedImages, AreNotThoseWhoseTimeTheImageGets) {
  request_.source_date_epoch = "dir";
  EXPECT_EQ(warned_of("FROM debian:12\nARG base\n"), Words{});
}

TEST_F(UnusedImages, AreUnknownWhereTheFileCannotBeUnderstood) {
  EXPECT_EQ(warned_of("# syntax=example.com/mine\nwhatever\n"), Words{});
  EXPECT_EQ(warned_of("FRUM x\n"), Words{});
}

TEST_F(UnusedImages, AStageThatIsNotThereIsToldWhateverElseIsGiven) {
  request_.preloads.clear();
  request_.contexts.clear();
  request_.no_cache_stages = {"made", "MAID"};
  sys::write_file(request_.dockerfile, "FROM scratch AS Made\n");
  EXPECT_EQ(
      oci_solve::warnings_of_unused_images(native::Definition(request_)),
      Words{
          "NO_CACHE: no stage of the Dockerfile is called 'MAID'; give names of stages, or 'true' for all"});
}

}  // namespace
