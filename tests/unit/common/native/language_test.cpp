#include "common/native/language.hpp"

#include <gtest/gtest.h>

#include "common/native/engine.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace {

class Language : public testing::Test {
protected:
  document::Request request(const std::string& dockerfile) const {
    document::Request request;
    request.dockerfile = directory_.path() / "Dockerfile";
    sys::write_file(request.dockerfile, dockerfile);
    return request;
  }

  std::optional<std::string> left_out(const std::string& dockerfile) const {
    return native::left_out(request(dockerfile));
  }

private:
  sys::TempDir directory_{testing::TempDir()};
};

TEST_F(Language, LeavesNothingOutOfAnOrdinaryFile) {
  EXPECT_EQ(left_out("# syntax=docker/dockerfile:1\nFROM busybox\nRUN --mount=type=cache,target=/c true\n"),
            std::nullopt);
}

TEST_F(Language, LeavesForeignSyntaxImagesOut) {
  EXPECT_EQ(left_out("# syntax=example.com/mine:1\nanything: at all\n"),
            "the syntax image 'example.com/mine:1'");
}

TEST_F(Language, LeavesASyntaxImageGivenAsBuildArgOut) {
  auto given = request("# syntax=docker/dockerfile:1\nFROM scratch\n");
  given.build_args = {{"BUILDKIT_SYNTAX", "docker/dockerfile:1"}};
  EXPECT_EQ(native::left_out(given), std::nullopt);
  given.build_args = {{"BUILDKIT_SYNTAX", "mine"}};
  EXPECT_EQ(native::left_out(given), "the syntax image 'mine'");
}

TEST_F(Language, LeavesDevicesOutAndNamesTheLine) {
  EXPECT_EQ(left_out("FROM scratch AS a\n\nFROM a\nRUN true\nRUN --device=vendor.com/gpu=all true\n"),
            "RUN --device (Dockerfile:5)");
}

TEST_F(Language, SaysNothingOfFilesThatCannotBeReadOrUnderstood) {
  EXPECT_EQ(left_out("FROM scratch\nRUUN --device=x\n"), std::nullopt);
  document::Request request;
  request.dockerfile = "/does/not/exist";
  EXPECT_EQ(native::left_out(request), std::nullopt);
}

}  // namespace
