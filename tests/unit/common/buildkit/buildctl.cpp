// The command line and the environment of buildctl.
#include "common/buildkit/buildctl.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/sys/file.hpp"
#include "tests/support/error_of.hpp"

namespace {

document::Request smallest() {
  document::Request request;
  request.context = "src";
  request.dockerfile = "src/docker/Dockerfile";
  request.targets = {{}};
  return request;
}

class Line {
public:
  Line(const document::Request& request, const buildkit::Solve& solve = {},
       const std::vector<std::string>& ssh = {})
      : arguments_(buildkit::solve_arguments(request, {"unix:///w/b.sock", {}, {}, {}}, solve, ssh)) {}

  // Every value that follows `option`, in order.
  std::vector<std::string> values(const std::string& option) const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i + 1 < arguments_.size(); ++i) {
      if (arguments_[i] == option) found.push_back(arguments_[i + 1]);
    }
    return found;
  }
  bool has(const std::string& option, const std::string& value) const {
    const auto found = values(option);
    return std::find(found.begin(), found.end(), value) != found.end();
  }
  bool has(const std::string& flag) const {
    return std::find(arguments_.begin(), arguments_.end(), flag) != arguments_.end();
  }
  const std::vector<std::string>& all() const { return arguments_; }

private:
  std::vector<std::string> arguments_;
};

TEST(SolveArguments, OfTheSmallestRequestExportNothing) {
  const std::vector<std::string> expected = {
      "buildctl",           "--addr",  "unix:///w/b.sock", "build",   "--progress=plain",      "--frontend",
      "dockerfile.v0",      "--local", "context=src",      "--local", "dockerfile=src/docker", "--opt",
      "filename=Dockerfile"};
  EXPECT_EQ(Line(smallest()).all(), expected);
}

TEST(SolveArguments, FindADockerfileInTheWorkingDirectory) {
  auto request = smallest();
  request.dockerfile = "Containerfile";
  EXPECT_TRUE(Line(request).has("--local", "dockerfile=."));
  EXPECT_TRUE(Line(request).has("--opt", "filename=Containerfile"));
}

TEST(SolveArguments, LeaveAContextThatIsAUrlToTheDaemon) {
  auto request = smallest();
  request.context = "https://example.com/repo.git#main";
  request.dockerfile = "docker/Dockerfile";
  const Line line(request);
  EXPECT_EQ(line.values("--local"), std::vector<std::string>{});
  EXPECT_TRUE(line.has("--opt", "context=https://example.com/repo.git#main"));
  EXPECT_TRUE(line.has("--opt", "filename=docker/Dockerfile"));
}

TEST(SolveArguments, CarryEveryFrontendOption) {
  auto request = smallest();
  request.build_args = {{"A", "1=2 3"}, {"EMPTY", ""}, {"lines", "a\nb"}};
  request.labels = {{"org.example", "x,y"}};
  request.platforms = {image::Platform::parse("linux/amd64"), image::Platform::parse("linux/arm64")};
  request.add_hosts = {{"one", "10.0.0.1"}, {"six", "fd00::1"}};
  request.source_date_epoch = "0";
  request.no_cache = true;
  request.provenance = document::Attributes::parse("mode=max");
  request.sbom = document::Attributes::parse("generator=image");
  const Line line(request, {.target = "final", .destination = std::nullopt});
  for (const auto* option : {"build-arg:A=1=2 3", "build-arg:EMPTY=", "build-arg:lines=a\nb",
                             "label:org.example=x,y", "platform=linux/amd64,linux/arm64",
                             "add-hosts=one=10.0.0.1,six=fd00::1", "build-arg:SOURCE_DATE_EPOCH=0",
                             "attest:provenance=mode=max", "attest:sbom=generator=image", "target=final"}) {
    EXPECT_TRUE(line.has("--opt", option)) << option;
  }
  EXPECT_TRUE(line.has("--no-cache"));
}

TEST(SolveArguments, NameTheStagesThatRunAgain) {
  auto request = smallest();
  request.no_cache_stages = {"one", "two"};
  const Line line(request, {.target = "final", .destination = std::nullopt});
  EXPECT_TRUE(line.has("--opt", "no-cache=one,two"));
  EXPECT_FALSE(line.has("--no-cache"));
}

TEST(SolveArguments, NameProxiesWithoutTheirValues) {
  auto request = smallest();
  request.proxies = {"http_proxy", "NO_PROXY"};
  const Line line(request);
  EXPECT_TRUE(line.has("--opt", "build-arg:http_proxy"));
  EXPECT_TRUE(line.has("--opt", "build-arg:NO_PROXY"));
}

TEST(SolveArguments, LetABuildArgReplaceAProxyWhateverItsCase) {
  auto request = smallest();
  request.proxies = {"http_proxy"};
  request.build_args = {{"HTTP_PROXY", "http://mine"}};
  const Line line(request);
  EXPECT_FALSE(line.has("--opt", "build-arg:http_proxy"));
  EXPECT_TRUE(line.has("--opt", "build-arg:HTTP_PROXY=http://mine"));
}

TEST(SolveArguments, ReferToSecretsAndNeverHoldThem) {
  ::setenv("SECRET_OF_TEST", "hunter2", 1);
  auto request = smallest();
  request.secrets = {{"text", "SECRET_OF_TEST", std::nullopt}, {"file", std::nullopt, "/a,b"}};
  const std::vector<std::string> expected = {"id=text,env=SECRET_OF_TEST", "id=file,\"src=/a,b\""};
  EXPECT_EQ(Line(request).values("--secret"), expected);
}

TEST(SolveArguments, ServePreloadsAndDirectoriesAsContexts) {
  const auto digest = hash::Digest::parse("sha256:" + std::string(64, 'b'));
  auto request = smallest();
  request.preloads = {
      {document::Preload::Role::build_arg, "BASE", "a.tar", document::Preload::Layout{"/w/a", digest}},
      {document::Preload::Role::context, "debian", "b.tar", document::Preload::Layout{"/w/b", digest}}};
  request.contexts = {{"assets", "/assets"}};
  const Line line(request);
  EXPECT_TRUE(line.has("--oci-layout", "preload-0=/w/a"));
  EXPECT_TRUE(line.has("--opt", "build-arg:BASE=image-arg/base"));
  EXPECT_TRUE(line.has("--opt", "context:image-arg/base=oci-layout://preload-0@" + digest.str()));
  EXPECT_TRUE(line.has("--opt", "context:debian=oci-layout://preload-1@" + digest.str()));
  EXPECT_TRUE(line.has("--local", "context-assets=/assets"));
  EXPECT_TRUE(line.has("--opt", "context:assets=local:context-assets"));
}

TEST(SolveArguments, ExportAnArchiveOrALayoutDirectory) {
  auto request = smallest();
  EXPECT_TRUE(Line(request, {.target = {}, .destination = "o/t"}).has("--output", "type=docker,dest=o/t"));
  request.output.format = document::OutputFormat::oci;
  EXPECT_TRUE(
      Line(request, {.target = {}, .destination = "o,t"}).has("--output", "type=oci,\"dest=o,t\",tar=false"));
}

TEST(SolveArguments, CarryEveryExporterOption) {
  auto request = smallest();
  request.output.compression = document::Compression::zstd;
  request.output.compression_level = 9;
  request.output.rewrite_timestamp = true;
  request.annotations = {{"org.example", "a \"b\", c"}};
  EXPECT_TRUE(Line(request, {.target = {}, .destination = "t"})
                  .has("--output",
                       "type=docker,dest=t,compression=zstd,compression-level=9,rewrite-timestamp=true,"
                       "\"annotation.org.example=a \"\"b\"\", c\""));
  request.output.compression = document::Compression::none;
  request.output.compression_level.reset();
  EXPECT_EQ(buildkit::compression_attributes(request.output),
            std::vector<std::string>{"compression=uncompressed"});
}

TEST(SolveArguments, CarryTheNamesOfTheImage) {
  const buildkit::Solve solve{
      .target = {},
      .destination = "t",
      .repo_tags = {image::parse_repo_tag("a:1"), image::parse_repo_tag("example.com/b")}};
  EXPECT_TRUE(Line(smallest(), solve)
                  .has("--output", "type=docker,dest=t,\"name=docker.io/library/a:1,example.com/b:latest\""));
}

TEST(SolveArguments, AnnotateTheIndexOfSeveralPlatformsToo) {
  auto request = smallest();
  request.output.format = document::OutputFormat::oci;
  request.platforms = {image::Platform::parse("linux/amd64"), image::Platform::parse("linux/arm64")};
  request.annotations = {{"k", "v"}};
  EXPECT_TRUE(Line(request, {.target = {}, .destination = "t"})
                  .has("--output", "type=oci,dest=t,tar=false,annotation.k=v,annotation-index.k=v"));
}

TEST(SolveArguments, RefuseAnAnnotationThatWouldBeLowered) {
  auto request = smallest();
  request.annotations = {{"Key", "v"}};
  EXPECT_EQ(test::error_of([&] { Line(request, {.target = {}, .destination = "t"}); }),
            "annotation 'Key' has upper-case letters, which BuildKit's client cannot pass on; write it in "
            "lower case");
}

TEST(SolveArguments, UseEveryCacheOfTheTaskAndOfTheRequest) {
  auto request = smallest();
  request.cache.from = {document::CacheEntry::parse("type=registry,ref=r/c", document::CacheDirection::from)};
  request.cache.to = {document::CacheEntry::parse("type=inline", document::CacheDirection::to)};
  const Line line(request, {.target = {}, .destination = {}, .cache_imports = {"i"}, .cache_exports = {"e"}});
  EXPECT_EQ(line.values("--import-cache"), (std::vector<std::string>{"i", "type=registry,ref=r/c"}));
  EXPECT_EQ(line.values("--export-cache"), (std::vector<std::string>{"e", "type=inline"}));
}

TEST(SolveArguments, SpeakTlsToARemoteEngine) {
  const auto arguments = buildkit::solve_arguments(
      smallest(), {.host = "tcp://b:1", .ca_cert = "ca", .cert = "cert", .key = "key"}, {}, {});
  const std::vector<std::string> expected = {"buildctl",  "--addr", "tcp://b:1", "--tlscacert", "ca",
                                             "--tlscert", "cert",   "--tlskey",  "key",         "build"};
  ASSERT_GE(arguments.size(), expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), arguments.begin()));
}

TEST(ClientEnvironment, LetsTheRequestDecideAlone) {
  auto request = smallest();
  const std::vector<std::string> ours = {"PATH=/bin", "SOURCE_DATE_EPOCH=1", "BUILDKIT_HOST=tcp://x",
                                         "DOCKER_CONFIG=/theirs", "http_proxy=http://p"};
  EXPECT_EQ(buildkit::client_environment(request, ours),
            (std::vector<std::string>{"PATH=/bin", "DOCKER_CONFIG=/theirs", "http_proxy=http://p"}));
  request.docker_config = "/mine";
  EXPECT_EQ(buildkit::client_environment(request, ours),
            (std::vector<std::string>{"PATH=/bin", "http_proxy=http://p", "DOCKER_CONFIG=/mine"}));
}

using Agents = std::vector<document::Ssh>;

TEST(SshForwarding, NamesAgentsKeysAndSockets) {
  const buildkit::SshForwarding ssh(
      Agents{{"default", {}, {}, false}, {"git", {}, {"/a", "/b"}, false}, {"raw", {}, {"/s"}, true}});
  const std::vector<std::string> expected = {"default", "git=/a,/b", "raw=/s,raw=true"};
  EXPECT_EQ(ssh.specifications(), expected);
  EXPECT_TRUE(ssh.kept_fds().empty());
}

TEST(SshForwarding, KeepsAKeyGivenAsTextInMemory) {
  ::setenv("KEY_OF_TEST", "-----BEGIN-----", 1);
  const buildkit::SshForwarding ssh(Agents{{"deploy", "KEY_OF_TEST", {}, false}});
  ASSERT_EQ(ssh.kept_fds().size(), 1U);
  const auto path = "/proc/self/fd/" + std::to_string(ssh.kept_fds()[0]);
  EXPECT_EQ(ssh.specifications()[0], "deploy=" + path);
  EXPECT_EQ(sys::read_file(path), "-----BEGIN-----\n");
}

TEST(SshForwarding, RefusesAKeyWhoseVariableIsGoneAndAPathWithAComma) {
  ::unsetenv("KEY_OF_TEST");
  EXPECT_EQ(test::error_of([] {
              buildkit::SshForwarding(Agents{{"x", "KEY_OF_TEST", {}, false}});
            }),
            "KEY_OF_TEST is not set, though the request names it");
  EXPECT_EQ(
      test::error_of([] {
        buildkit::SshForwarding(Agents{{"x", {}, {"a,b"}, false}});
      }),
      "BUILDKIT_SSH: the path 'a,b' has a comma, which BuildKit's client takes for a separator; rename it");
}

}  // namespace
