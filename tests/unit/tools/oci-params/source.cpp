#include <sys/stat.h>

#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

namespace fs = std::filesystem;

class Source : public RequestTest {};

TEST_F(Source, IsTheCurrentDirectoryAndItsDockerfileByDefault) {
  const auto request = read({});
  EXPECT_EQ(request.context, ".");
  EXPECT_EQ(request.dockerfile, "Dockerfile");
}

TEST_F(Source, TakesTheDockerfileFromTheContext) {
  write("src/Dockerfile");
  EXPECT_EQ(read({{"CONTEXT", "src"}}).dockerfile, "src/Dockerfile");
}

TEST_F(Source, TakesADockerfileFromAnywhere) {
  make_directory("src");
  write("docker/app.Dockerfile");
  const auto request = read({{"CONTEXT", "src"}, {"DOCKERFILE", "docker/app.Dockerfile"}});
  EXPECT_EQ(request.context, "src");
  EXPECT_EQ(request.dockerfile, "docker/app.Dockerfile");
}

TEST_F(Source, FallsBackToALowerCaseDockerfile) {
  write("src/dockerfile");
  EXPECT_EQ(read({{"CONTEXT", "src"}}).dockerfile, "src/dockerfile");
  EXPECT_EQ(read({{"DOCKERFILE", "src/Dockerfile"}}).dockerfile, "src/dockerfile");
}

TEST_F(Source, FollowsNoLinkOutOfTheContext) {
  write("secret", "the-secret=1");
  write("src/docker/real");
  const auto link = [](const char* target, const char* name) { fs::create_symlink(target, name); };
  link("../secret", "src/Dockerfile");
  EXPECT_EQ(
      error_of({{"CONTEXT", "src"}}),
      "DOCKERFILE: 'src/Dockerfile' is a link out of the context, or behind one; put the file itself there");
  fs::remove("src/Dockerfile");
  link("docker/real", "src/Dockerfile");
  EXPECT_EQ(read({{"CONTEXT", "src"}}).dockerfile, "src/Dockerfile");
  link("../secret", "src/file");
  for (const std::string parameter :
       {"TARGET_FILE", "BUILD_ARGS_FILE", "LABELS_FILE", "ANNOTATIONS_FILE", "BUILDKIT_SECRET_id"}) {
    EXPECT_EQ(error_of({{"CONTEXT", "src"}, {parameter, "src/file"}}),
              parameter + ": 'src/file' is a link out of the context, or behind one; name the file itself");
  }
  EXPECT_EQ(read({{"CONTEXT", "src"}, {"BUILD_ARGS_FILE", "secret"}}).build_args.size(), 1U);
  fs::create_directory("other");
  link("../secret", "other/file");
  EXPECT_EQ(read({{"CONTEXT", "src"}, {"BUILD_ARGS_FILE", "other/file"}}).build_args.size(), 1U);
}

TEST_F(Source, EmptyValuesAreNotSet) {
  EXPECT_EQ(to_json(read({{"CONTEXT", ""}, {"DOCKERFILE", " "}, {"TARGET", ""}, {"UNPACK_ROOTFS", ""}})),
            to_json(read({})));
}

TEST_F(Source, NamesAContextThatIsMissingOrNoDirectory) {
  EXPECT_EQ(error_of({{"CONTEXT", "src"}}),
            "CONTEXT: 'src' does not exist; is its input missing from the task?");
  EXPECT_EQ(error_of({{"CONTEXT", "Dockerfile"}}), "CONTEXT: 'Dockerfile' is not a directory; name one");
}

TEST_F(Source, TakesAUrlAsItIsAndADockerfileBelowIt) {
  for (const std::string url : {"https://example.com/repo.git#main:a@b", "git@example.com:repo.git",
                                "ssh://git@example.com/repo.git", "http://[::1]:80/context.tar.gz?a=b@c"}) {
    const auto request = read({{"CONTEXT", url}, {"DOCKERFILE", "build/a.Dockerfile"}});
    EXPECT_EQ(request.context, url);
    EXPECT_EQ(request.dockerfile, "build/a.Dockerfile");
  }
  EXPECT_EQ(read({{"CONTEXT", "git://example.com/repo.git"}}).dockerfile, "Dockerfile");
}

TEST_F(Source, RefusesAUrlWithALoginAndDoesNotShowIt) {
  for (const char* url : {"https://me:secret@example.com/repo.git", "https://token@example.com/repo.git",
                          "ssh://git:secret@example.com/repo.git"}) {
    EXPECT_EQ(
        error_of({{"CONTEXT", url}}),
        "CONTEXT: the URL holds a login; give a token as BUILDKIT_SECRETTEXT_GIT_AUTH_TOKEN, or get the "
        "context as an input of the task");
  }
}

TEST_F(Source, RefusesAUrlThatNobodyCanFetch) {
  EXPECT_EQ(error_of({{"CONTEXT", "ftp://example.com/files.tar"}}),
            "CONTEXT: 'ftp://example.com/files.tar' is no URL that can be fetched; name a git repository "
            "(https://….git, ssh://, git://, git@host:path) or a file (http://, https://)");
  EXPECT_EQ(error_of({{"CONTEXT", "https://example.com/repo.git?reff=main"}}),
            "CONTEXT: unexpected query \"reff\"");
}

TEST_F(Source, NamesADockerfileThatIsMissingOrADirectory) {
  make_directory("src");
  EXPECT_EQ(
      error_of({{"CONTEXT", "src"}}),
      "DOCKERFILE: there is no 'src/Dockerfile'; set CONTEXT to the directory that holds the Dockerfile, or "
      "DOCKERFILE to its path");
  EXPECT_EQ(error_of({{"DOCKERFILE", "src"}}), "DOCKERFILE: 'src' is a directory; name a file in it");
  EXPECT_EQ(error_of({{"DOCKERFILE", "a.Dockerfile"}}),
            "DOCKERFILE: 'a.Dockerfile' does not exist; is its input missing from the task?");
}

// Each of these would wait for ever for somebody who writes, and the build with it.
TEST_F(Source, NamesAFifoWhereAFileIsMeant) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  for (const std::string parameter : {"DOCKERFILE", "BUILD_ARGS_FILE", "LABELS_FILE", "ANNOTATIONS_FILE",
                                      "TARGET_FILE", "BUILDKIT_SECRET_x", "IMAGE_ARG_x", "BUILDKIT_SSH"}) {
    const auto value = parameter == "BUILDKIT_SSH" ? "default=fifo" : "fifo";
    EXPECT_EQ(error_of({{parameter, value}}), parameter + ": 'fifo' is a FIFO, not a file");
  }
  EXPECT_EQ(error_of({{"BUILD_CONTEXTS", "x=fifo"}}), "BUILD_CONTEXTS: 'fifo' is a FIFO, not a file");
  make_directory("docker");
  ASSERT_EQ(::mkfifo("docker/config.json", 0600), 0);
  EXPECT_EQ(error_of({{"DOCKER_CONFIG", "docker"}}),
            "DOCKER_CONFIG: 'docker/config.json' is a FIFO, not a file");
}

TEST_F(Source, ShowsAllErrorsOfARun) {
  EXPECT_EQ(error_of({{"CONTEXT", "src"}, {"UNPACK_ROOTFS", "yse"}, {"COMPRESSION", "zst"}}),
            "CONTEXT: 'src' does not exist; is its input missing from the task?\n"
            "UNPACK_ROOTFS: 'yse' is neither true nor false; use 'true' or 'false'\n"
            "COMPRESSION: 'zst' is none of 'gzip', 'zstd', 'none'; did you mean 'zstd'?");
}

TEST_F(Source, RefusesValuesThatAreNotUtf8) {
  EXPECT_EQ(error_of({{"TARGET", "\xff"}}), "TARGET: the value is not UTF-8");
  EXPECT_EQ(error_of({{"BUILD_ARG_x", "\xff"}}), "BUILD_ARG_x: the value is not UTF-8");
}

}  // namespace
