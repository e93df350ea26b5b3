#include "common/document/request.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"
#include "tests/unit/common/document/golden.hpp"

namespace {

using document::Request;

Request smallest_request() {
  Request request;
  request.dockerfile = "Dockerfile";
  request.targets = {{.name = std::nullopt, .output = std::nullopt}};
  return request;
}

// Every field set, every list filled, every kind of element once.
Request fullest_request() {
  Request request;
  request.engine = document::EngineChoice::buildkit;
  request.isolation = document::IsolationChoice::chroot;
  request.context = "source";
  request.dockerfile = "source/docker/Dockerfile";
  request.targets = {{.name = "tests", .output = "tests"}, {.name = "release", .output = "image"}};
  request.platforms = {image::Platform::parse("linux/amd64"), image::Platform::parse("linux/arm64")};
  request.build_args = {{"empty", ""}, {"lines", "one\ntwo"}, {"my-arg.x", "a=b \"c\" \\ é"}};
  request.labels = {{"org.opencontainers.image.title", "hello"}};
  request.annotations = {{"org.opencontainers.image.source", "https://example.com/hello"}};
  request.preloads = {
      {document::Preload::Role::build_arg, "base", "base/image.tar", std::nullopt},
      {document::Preload::Role::context, "debian:12", "debian/image",
       document::Preload::Layout{"work/1", hash::Digest::from_hex(std::string(64, 'a'))}},
  };
  request.contexts = {{"assets", "shared/assets"}};
  request.secrets = {{"token", "BUILDKIT_SECRETTEXT_token", std::nullopt},
                     {"npmrc", std::nullopt, "secrets/npmrc"}};
  request.ssh = {{.id = "default", .env = std::nullopt, .paths = {}, .raw = false},
                 {.id = "deploy", .env = "BUILDKIT_SSHTEXT_deploy", .paths = {}, .raw = false},
                 {.id = "keys", .env = std::nullopt, .paths = {"ssh/one", "ssh/two"}, .raw = false},
                 {.id = "agent", .env = std::nullopt, .paths = {"/run/agent.sock"}, .raw = true}};
  request.add_hosts = {{"git.internal", "10.0.0.7"}, {"six.internal", "2001:db8::1"}};
  request.entitlements = {document::Entitlement::network_host, document::Entitlement::security_insecure};
  request.proxies = {"https_proxy", "NO_PROXY"};
  request.output = {
      .format = document::OutputFormat::oci,
      .repo_tags = {image::parse_repo_tag("hello:1.0"), image::parse_repo_tag("registry.example.com/hello")},
      .unpack_rootfs = true,
      .rewrite_timestamp = true,
      .compression = document::Compression::zstd,
      .compression_level = 19};
  request.no_cache = true;
  request.no_cache_stages = {"build"};
  request.source_date_epoch = "1700000000";
  request.cache = {
      .directory = "cache",
      .from = {document::CacheEntry::parse("type=registry,ref=registry.example.com/cache",
                                           document::CacheDirection::from)},
      .to = {document::CacheEntry::parse("type=local,dest=exported", document::CacheDirection::to)},
      .max_size = 5'000'000'000,
      .max_age = 604800};
  request.provenance = document::parse_provenance("mode=max");
  request.sbom = document::Attributes();
  request.registry_mirrors = {"mirror-1.example.com", "mirror-2.example.com:5000"};
  request.buildkit_config = "[registry.\"registry.example.com\"]\n  http = true\n";
  request.remote =
      document::RemoteEngine{"tcp://buildkit.example.com:1234", "tls/ca.pem", "tls/cert.pem", "tls/key.pem"};
  request.docker_config = "docker-config";
  request.progress = document::ProgressChoice::rawjson;
  request.graph = "reports/build.html";
  request.debug = true;
  return request;
}

std::string message_of(const std::string& json) {
  return test::error_of([&] { document::parse_request(json); });
}

// The smallest request with `field` replaced; a JSON pointer names it.
std::string with(const std::string& field, const nlohmann::ordered_json& value) {
  auto json = nlohmann::ordered_json::parse(to_json(smallest_request()));
  json[nlohmann::ordered_json::json_pointer(field)] = value;
  return json.dump();
}

std::string with(const std::string& field, const char* json_value) {
  return with(field, nlohmann::ordered_json::parse(json_value));
}

TEST(Request, IsWrittenAsTheGoldenDocumentsShow) {
  golden::expect_shown(to_json(smallest_request()), "request-smallest.json");
  golden::expect_shown(to_json(fullest_request()), "request-fullest.json");
}

TEST(Request, ComesBackFromJsonAsItWas) {
  for (const auto& request : {smallest_request(), fullest_request()}) {
    EXPECT_EQ(to_json(document::parse_request(to_json(request))), to_json(request));
  }
}

TEST(Request, IsOneLine) {
  EXPECT_EQ(to_json(fullest_request()).find('\n'), std::string::npos);
}

TEST(Request, RefusesAnotherSchema) {
  EXPECT_EQ(message_of(with("/schema", R"("oci-build/request/2")")),
            "request: field 'schema': expected 'oci-build/request/1', got 'oci-build/request/2'");
  EXPECT_EQ(message_of("{}"), "request: field 'schema': missing");
  EXPECT_EQ(message_of("[]"), "request: expected an object");
}

TEST(Request, RefusesAnUnknownFieldAtEveryDepth) {
  EXPECT_EQ(message_of(with("/contxt", "1")), "request: field 'contxt': unknown");
  EXPECT_EQ(message_of(with("/output/squash", "true")), "request: field 'output.squash': unknown");
  EXPECT_EQ(message_of(with("/targets/0/tag", "null")), "request: field 'targets[0].tag': unknown");
}

TEST(Request, RefusesAMissingFieldEvenWhereNullIsAllowed) {
  auto json = nlohmann::ordered_json::parse(to_json(smallest_request()));
  for (const auto& [name, value] : json.items()) {
    auto incomplete = json;
    incomplete.erase(name);
    EXPECT_EQ(message_of(incomplete.dump()), "request: field '" + name + "': missing");
  }
}

TEST(Request, RefusesAKeyThatStandsTwice) {
  auto json = to_json(smallest_request());
  json.insert(json.size() - 1, R"(,"debug":true)");
  EXPECT_EQ(message_of(json), "request has the key 'debug' twice");
}

TEST(Request, RefusesAFieldOfAnotherType) {
  EXPECT_EQ(message_of(with("/debug", R"("true")")), "request: field 'debug': expected true or false");
  EXPECT_EQ(message_of(with("/platforms", R"("linux/amd64")")),
            "request: field 'platforms': expected a list of objects");
  EXPECT_EQ(message_of(with("/platforms", R"(["linux/amd64"])")),
            "request: field 'platforms[0]': expected an object");
  EXPECT_EQ(message_of(with("/output/compression_level", "-1")),
            "request: field 'output.compression_level': expected a whole number, 0 or more");
}

TEST(Request, NamesTheWordsOfAnEnum) {
  EXPECT_EQ(message_of(with("/engine", R"("docker")")),
            "request: field 'engine': 'docker' is none of 'auto', 'buildkit', 'native'");
  EXPECT_EQ(message_of(with("/output/format", R"("tar")")),
            "request: field 'output.format': 'tar' is none of 'docker', 'oci'");
  EXPECT_EQ(message_of(with("/output/compression", R"("xz")")),
            "request: field 'output.compression': 'xz' is none of 'gzip', 'zstd', 'none'");
}

TEST(Request, RefusesPathsThatNameNothing) {
  EXPECT_EQ(message_of(with("/context", R"("")")), "request: field 'context': is empty");
  EXPECT_EQ(message_of(with("/dockerfile", R"("a\u0000b")")),
            "request: field 'dockerfile': holds a NUL character");
}

TEST(Request, HasAtLeastOneTarget) {
  EXPECT_EQ(message_of(with("/targets", "[]")), "request: field 'targets': expected at least one");
}

TEST(Request, TakesASecretFromExactlyOnePlace) {
  EXPECT_EQ(message_of(with("/secrets", R"([{"id":"x","env":null,"file":null}])")),
            "request: field 'secrets[0].env': expected exactly one of env and file");
  EXPECT_EQ(message_of(with("/secrets", R"([{"id":"x","env":"A","file":"b"}])")),
            "request: field 'secrets[0].env': expected exactly one of env and file");
}

TEST(Request, TakesAnSshKeyFromAtMostOnePlace) {
  EXPECT_EQ(message_of(with("/ssh", R"([{"id":"x","env":"A","paths":[{"path":"b"}],"raw":false}])")),
            "request: field 'ssh[0].env': expected at most one of env and paths");
  EXPECT_EQ(message_of(with("/ssh", R"([{"id":"x","env":null,"paths":[],"raw":true}])")),
            "request: field 'ssh[0].raw': needs exactly one path");
}

TEST(Request, RefusesALevelWithoutACompressionThatHasLevels) {
  EXPECT_EQ(message_of(with("/output/compression_level", "3")),
            "request: field 'output.compression_level': needs a compression that has levels");
}

TEST(Request, ChecksTheDigestOfALayout) {
  EXPECT_EQ(message_of(with("/preloads", R"([{"role":"context","name":"a","path":"b",
                                              "layout":{"directory":"c","digest":"md5:12"}}])")),
            "request: field 'preloads[0].layout.digest': "
            "invalid digest 'md5:12': expected 'sha256:' and 64 hex digits");
}

TEST(Request, TakesClientCertificateAndKeyTogether) {
  EXPECT_EQ(message_of(with("/remote", R"({"host":"tcp://a:1","ca_cert":null,"cert":"c","key":null})")),
            "request: field 'remote.cert': expected both of cert and key, or none");
}

// What downstream would otherwise parse again, and each in its way.
TEST(Request, RefusesWhatNoEngineCouldUse) {
  EXPECT_EQ(
      message_of(with("/platforms", R"([{"platform":"linux/amd64/v2/x"}])")),
      "request: field 'platforms[0].platform': invalid platform 'linux/amd64/v2/x': expected something like "
      "'linux/arm64'");
  EXPECT_EQ(
      message_of(with("/contexts", R"([{"name":"My Base","directory":"d"}])")),
      "request: field 'contexts[0].name': 'My Base' cannot be the name of an image or stage; use lower case, "
      "digits, and . _ - /");
  EXPECT_EQ(message_of(with("/cache/from", R"([{"entry":"type=tape"}])")),
            "request: field 'cache.from[0].entry': the type 'tape' is none of registry, local, inline, gha, "
            "s3, azblob");
  EXPECT_EQ(message_of(with("/provenance", R"("mode=mox")")),
            "request: field 'provenance': the mode 'mox' is neither 'min' nor 'max'; did you mean 'max'?");
  EXPECT_EQ(message_of(with("/sbom", R"("a\"b")")),
            "request: field 'sbom': a quote stands inside a field; quote the whole field, as in \"src=a,b\"");
}

TEST(Request, NamesContextsAsDockerfilesAreComparedWith) {
  const auto contexts = R"([{"name":"docker.io/library/debian:latest","directory":"d"}])";
  EXPECT_EQ(document::parse_request(with("/contexts", contexts)).contexts.front().name, "debian");
  const auto preloads = R"([{"role":"context","name":"ghcr.io/a/b:latest","path":"p","layout":null},
                            {"role":"build_arg","name":"Base:latest","path":"p","layout":null}])";
  const auto request = document::parse_request(with("/preloads", preloads));
  EXPECT_EQ(request.preloads[0].name, "ghcr.io/a/b");
  EXPECT_EQ(request.preloads[1].name, "Base:latest");
}

}  // namespace
