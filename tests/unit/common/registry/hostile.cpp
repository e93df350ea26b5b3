// What a registry may answer that means harm.
#include <gtest/gtest.h>

#include "common/hash/sha256.hpp"
#include "common/registry/pull.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/scripted_server.hpp"

namespace registry {
namespace {

using test::answer;
using test::Reply;
using test::ScriptedServer;

class HostileRegistry : public testing::Test {
protected:
  // The reason why an image cannot be had whose tag means `manifest`.
  std::string error_of_pull(const std::string& manifest, const std::string& fields = "") {
    document_ = manifest;
    fields_ = fields;
    Settings settings;
    settings.retry = {.attempts = 1};
    store::Store store(directory_.path() / "store", {});
    Puller puller(settings, store);
    const auto name = "127.0.0.1:" + std::to_string(server_.port()) + "/app:1";
    return test::error_of([&] { puller.resolve(image::Reference::parse(name).value(), {}); });
  }

  ScriptedServer server_{[this](const std::string& head, auto) {
    if (head.find("/manifests/") == std::string::npos) return answer("404 Not Found", "", "");
    return answer("200 OK", fields_, head.starts_with("HEAD") ? "" : document_);
  }};
  std::string document_;
  std::string fields_;
  sys::TempDir directory_{sys::scratch_directory()};
};

TEST_F(HostileRegistry, CannotNestAManifestWithoutEnd) {
  const std::string depth(1 << 20, '[');
  for (const auto* key : {"manifests", "x"}) {
    const auto reason = error_of_pull("{\"schemaVersion\": 2, \"" + std::string(key) + "\": " + depth);
    EXPECT_NE(reason.find("nested deeper than 64 levels"), std::string::npos) << reason;
  }
}

TEST_F(HostileRegistry, CannotGiveAnotherManifestThanItsDigestSays) {
  const auto reason = error_of_pull(
      "{}", "Docker-Content-Digest: " + hash::sha256("other").str() + "\r\nContent-Length: 2\r\n");
  EXPECT_NE(reason.find("does not have the digest " + hash::sha256("other").str()), std::string::npos)
      << reason;
}

// Foreign layers name URLs of their own; an index may name itself.
TEST_F(HostileRegistry, CannotLeadToAUrlInAManifestNorInCircles) {
  const std::string descriptor = R"({"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2,
      "digest": ")" + hash::sha256("{}").str() +
                                 R"(", "urls": [")" + server_.url("/inside") + "\"]}";
  error_of_pull(R"({"schemaVersion": 2, "config": )" + descriptor + R"(, "layers": [)" + descriptor + "]}");
  for (const auto& request : server_.requests())
    EXPECT_EQ(request.find("/inside"), std::string::npos);
  const auto reason = error_of_pull(R"({"schemaVersion": 2, "manifests": [
      {"mediaType": "application/vnd.oci.image.index.v1+json", "size": 2, "digest": ")" +
                                    hash::sha256("{}").str() + R"("}]})");
  EXPECT_NE(reason.find("does not have the digest"), std::string::npos) << reason;
}

}  // namespace
}  // namespace registry
