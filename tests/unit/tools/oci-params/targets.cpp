#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

class Targets : public RequestTest {
protected:
  // "name>output" each, "-" for nothing.
  static Strings shown(const document::Request& request) {
    Strings lines;
    for (const auto& [name, output] : request.targets)
      lines.push_back(name.value_or("-") + ">" + (output ? output->string() : "-"));
    return lines;
  }
};

TEST_F(Targets, TheLastStageIsBuiltWithoutOutputByDefault) {
  EXPECT_EQ(shown(read({})), (Strings{"->-"}));
}

TEST_F(Targets, TheMainTargetGoesToImage) {
  make_directory("image");
  EXPECT_EQ(shown(read({})), (Strings{"->image"}));
  EXPECT_EQ(shown(read({{"TARGET", "release"}})), (Strings{"release>image"}));
}

TEST_F(Targets, TargetFileGivesTheNameWithoutBlanks) {
  write("target", "release\n");
  write("empty", "\n");
  EXPECT_EQ(shown(read({{"TARGET_FILE", "target"}})), (Strings{"release>-"}));
  EXPECT_EQ(shown(read({{"TARGET_FILE", "target"}, {"TARGET", "release"}})), (Strings{"release>-"}));
  EXPECT_EQ(shown(read({{"TARGET_FILE", "empty"}})), (Strings{"->-"}));
}

TEST_F(Targets, TargetFileIsNotShownWhereItHoldsSomethingElse) {
  for (const auto& content : {std::string("a\nb"), std::string(300, 'a')}) {
    write("target", content);
    EXPECT_EQ(error_of({{"TARGET_FILE", "target"}}),
              "TARGET_FILE: 'target' holds more than the name of a stage; write the name alone to it");
  }
}

TEST_F(Targets, TargetAndTargetFileMustAgree) {
  write("target", "release");
  EXPECT_EQ(error_of({{"TARGET_FILE", "target"}, {"TARGET", "debug"}}),
            "TARGET is 'debug' but TARGET_FILE 'target' holds 'release'; set one of the two");
  EXPECT_EQ(error_of({{"TARGET_FILE", "absent"}}),
            "TARGET_FILE: 'absent' does not exist; is its input missing from the task?");
}

TEST_F(Targets, AdditionalTargetsComeFirstAndGoToDirectoriesOfTheirNames) {
  make_directory("image");
  make_directory("tests");
  EXPECT_EQ(shown(read({{"ADDITIONAL_TARGETS", "tests, docs,,"}, {"TARGET", "release"}})),
            (Strings{"tests>tests", "docs>-", "release>image"}));
}

TEST_F(Targets, AnOutputThatIsAFileIsAnError) {
  write("image");
  write("tests");
  EXPECT_EQ(error_of({{"ADDITIONAL_TARGETS", "tests"}}),
            "ADDITIONAL_TARGETS: the output 'tests' is not a directory; remove it, or name it as an output "
            "of the task\n"
            "outputs: the output 'image' is not a directory; remove it, or name it as an output of the task");
}

TEST_F(Targets, AdditionalTargetsMustBeUsableAsDirectories) {
  EXPECT_EQ(
      error_of({{"ADDITIONAL_TARGETS", "image,cache,../x,.."}}),
      "ADDITIONAL_TARGETS: 'image' would go to the same directory as the main target; rename the stage\n"
      "ADDITIONAL_TARGETS: 'cache' would go to the directory of the cache; rename the stage\n"
      "ADDITIONAL_TARGETS: '../x' cannot be the name of an output directory; rename the stage\n"
      "ADDITIONAL_TARGETS: '..' cannot be the name of an output directory; rename the stage");
  EXPECT_EQ(error_of({{"ADDITIONAL_TARGETS", "a,a"}}), "ADDITIONAL_TARGETS: 'a' stands twice; keep one");
}

TEST_F(Targets, PlatformsAreNormalised) {
  const std::vector<image::Platform> expected = {{.os = "linux", .architecture = "amd64", .variant = ""},
                                                 {.os = "linux", .architecture = "arm64", .variant = ""}};
  EXPECT_EQ(read({{"IMAGE_PLATFORM", "linux/x86_64, arm64"}}).platforms, expected);
  EXPECT_TRUE(read({}).platforms.empty());
}

TEST_F(Targets, PlatformsMustBeOnesAndDiffer) {
  EXPECT_EQ(error_of({{"IMAGE_PLATFORM", "linux/arm64,linux/aarch64"}}),
            "IMAGE_PLATFORM: 'linux/arm64' stands twice; keep one");
  EXPECT_EQ(error_of({{"IMAGE_PLATFORM", "a/b/c/d"}}).substr(0, 42),
            "IMAGE_PLATFORM: invalid platform 'a/b/c/d'");
}

}  // namespace
