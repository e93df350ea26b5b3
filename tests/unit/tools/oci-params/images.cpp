#include "tools/oci-params/images.hpp"
#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

class Images : public RequestTest {
protected:
  static void make_layout(const std::filesystem::path& directory) { write(directory / "oci-layout", "{}"); }

  // "role name path" each.
  static Strings shown(const document::Request& request) {
    Strings lines;
    for (const auto& preload : request.preloads) {
      EXPECT_FALSE(preload.layout);
      const bool arg = preload.role == document::Preload::Role::build_arg;
      lines.push_back((arg ? "arg " : "context ") + preload.name + " " + preload.path.string());
    }
    for (const auto& [name, directory] : request.contexts)
      lines.push_back("directory " + name + " " + directory.string());
    return lines;
  }
};

TEST_F(Images, ImageArgsAreFilesOrLayoutsUnderNamesOfAnyCase) {
  write("base/image.tar");
  make_layout("tools/image");
  EXPECT_EQ(shown(read({{"IMAGE_ARG_base_image", "base/image.tar"}, {"IMAGE_ARG_TOOLS", "tools/image"}})),
            (Strings{"arg TOOLS tools/image", "arg base_image base/image.tar"}));
}

TEST_F(Images, AnEmptyImageArgIsNotSet) {
  EXPECT_EQ(shown(read({{"IMAGE_ARG_base", ""}})), Strings());
}

TEST_F(Images, AnImageArgMustBeThere) {
  EXPECT_EQ(error_of({{"IMAGE_ARG_base", "base/image.tar"}, {"IMAGE_ARG_more", "more"}}),
            "IMAGE_ARG_base: 'base/image.tar' does not exist; is its input missing from the task?\n"
            "IMAGE_ARG_more: 'more' does not exist; is its input missing from the task?");
}

TEST_F(Images, ADirectoryThatHoldsAnImageNamesItAsTheFix) {
  write("tar/image.tar");
  make_layout("oci/image");
  make_directory("empty");
  EXPECT_EQ(error_of({{"IMAGE_ARG_a", "tar"}}),
            "IMAGE_ARG_a: 'tar' is a directory without an OCI layout; name 'tar/image.tar'");
  EXPECT_EQ(error_of({{"IMAGE_ARG_a", "oci"}}),
            "IMAGE_ARG_a: 'oci' is a directory without an OCI layout; name 'oci/image'");
  EXPECT_EQ(error_of({{"IMAGE_ARG_a", "empty"}}),
            "IMAGE_ARG_a: 'empty' is a directory without an OCI layout; name an image tar or an OCI layout "
            "directory");
}

TEST_F(Images, AnImageArgWinsOverTheBuildArgOfItsName) {
  write("image.tar");
  const Variables variables = {
      {"IMAGE_ARG_base", "image.tar"}, {"BUILD_ARG_base", "busybox"}, {"BUILD_ARG_x", "1"}};
  params::Findings findings;
  const auto request = params::read_request(params::Environment(variables), findings);
  EXPECT_EQ(pairs(request.build_args), (Strings{"x=1"}));
  EXPECT_EQ(findings.warnings(),
            (Strings{"the build argument 'base' is also set by IMAGE_ARG_base, which is used"}));
}

TEST_F(Images, BuildContextsAreDirectoriesOrImagesByWhatLiesThere) {
  make_directory("assets");
  make_layout("layout");
  write("debian.tar");
  EXPECT_EQ(shown(read({{"BUILD_CONTEXTS", "assets=assets, base = layout\n\ndebian:12=debian.tar,\n"}})),
            (Strings{"context base layout", "context debian:12 debian.tar", "directory assets assets"}));
}

TEST_F(Images, BuildContextsAreKnownByTheNameThatBuildKitLooksUp) {
  make_directory("d");
  EXPECT_EQ(shown(read({{"BUILD_CONTEXTS", "docker.io/library/debian:latest=d"}})),
            (Strings{"directory debian d"}));
}

TEST_F(Images, BuildContextsMustBePairsOfGoodNamesAndPathsThatExist) {
  make_directory("a");
  EXPECT_EQ(error_of({{"BUILD_CONTEXTS", "a"}}), "BUILD_CONTEXTS: 'a' is not of the form name=path");
  EXPECT_EQ(error_of({{"BUILD_CONTEXTS", "a="}}), "BUILD_CONTEXTS: 'a=' is not of the form name=path");
  EXPECT_EQ(error_of({{"BUILD_CONTEXTS", "=a"}}), "BUILD_CONTEXTS: '=a' is not of the form name=path");
  EXPECT_EQ(error_of({{"BUILD_CONTEXTS", "a=b"}}),
            "BUILD_CONTEXTS: 'b' does not exist; is its input missing from the task?");
  EXPECT_EQ(
      error_of({{"BUILD_CONTEXTS", "a b=a"}}),
      "BUILD_CONTEXTS: 'a b' cannot be the name of an image or stage; use lower case, digits, and . _ - /");
  EXPECT_EQ(error_of({{"BUILD_CONTEXTS", "x=a,docker.io/library/x=a"}}),
            "BUILD_CONTEXTS: 'x' stands twice; keep one");
}

TEST_F(Images, ADirectoryThatHoldsAnImageIsAContextWithAWarning) {
  write("debian/image.tar");
  EXPECT_EQ(warnings_of({{"BUILD_CONTEXTS", "debian=debian"}}),
            (Strings{"BUILD_CONTEXTS: 'debian' is taken as a plain directory; for the image in it, name "
                     "'debian/image.tar'"}));
}

}  // namespace
