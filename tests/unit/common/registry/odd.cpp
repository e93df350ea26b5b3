// Registries that do what the protocol allows and few do, played by the test.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/hash/base64.hpp"
#include "common/http/url.hpp"
#include "common/registry/pull.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/image_files.hpp"
#include "tests/support/scripted_server.hpp"

namespace registry {
namespace {

using test::answer;
using test::error_of;
using test::Reply;
using test::ScriptedServer;

class OddRegistry : public testing::Test {
protected:
  // Serves the files of an image, whose `root` is what the tag 1 means, unless `first` has something to say.
  Reply serve(const std::string& head) {
    if (first_) {
      if (auto reply = first_(head)) return *reply;
    }
    const auto path = head.substr(head.find(" /") + 1, head.find(" HTTP/") - head.find(" /") - 1);
    const auto name = path.substr(path.rfind('/') + 1);
    const auto digest = name == "1" ? root_.digest.str() : name;
    const auto file = files_.find("blobs/sha256/" + digest.substr(digest.find(':') + 1));
    if (file == files_.end()) return answer("404 Not Found", "", "");
    auto reply = answer("200 OK", "Content-Type: " + type_ + "\r\nDocker-Content-Digest: " + digest + "\r\n",
                        file->second);
    if (head.starts_with("HEAD ")) reply.bytes.resize(reply.bytes.size() - file->second.size());
    return reply;
  }

  std::string host() const { return "127.0.0.1:" + std::to_string(server_.port()); }

  Image resolve(const std::string& platform = "linux/amd64") {
    Settings settings{.docker_config = directory_.path(), .retry = {.attempts = 1}};
    store::Store store(directory_.path() / "store", {});
    return Puller(settings, store)
        .resolve(image::Reference::parse(host() + "/app:1").value(), image::Platform::parse(platform));
  }

  std::string layer_of(const Image& image) {
    return std::string(files_.at("blobs/sha256/" + image.manifest.layers.at(0).digest.hex()));
  }

  void log_in(const std::string& entry) {
    sys::write_file(directory_.path() / "config.json",
                    R"({"Auths": {")" + host() + R"(": {)" + entry + "}}}");
  }

  // A challenge, unless the request carries the token of that number.
  Reply want_token(const std::string& more = "") const {
    return answer("401 Unauthorized",
                  "WWW-Authenticate: Bearer realm=\"" + server_.url("/token") + "\"" + more + "\r\n", "");
  }

  std::vector<std::string> requests_of(const std::string& start) const {
    std::vector<std::string> found;
    for (const auto& request : server_.requests()) {
      if (request.starts_with(start)) found.push_back(request);
    }
    return found;
  }

  test::Files files_;
  image::Descriptor root_ = test::add_image(files_, "linux/amd64", {"layer"});
  std::string type_ = "application/octet-stream";
  std::function<std::optional<Reply>(const std::string& head)> first_;
  sys::TempDir directory_{sys::scratch_directory()};
  ScriptedServer server_{[this](const std::string& head, auto) { return serve(head); }};
};

TEST_F(OddRegistry, IsAskedByGetWhereItDoesNotDoHead) {
  for (const auto* status :
       {"405 Method Not Allowed", "501 Not Implemented", "400 Bad Request", "403 Forbidden"}) {
    first_ = [&](const std::string& head) {
      return head.starts_with("HEAD ") ? std::optional(answer(status, "", "")) : std::nullopt;
    };
    EXPECT_EQ(layer_of(resolve()), "layer") << status;
  }
}

TEST_F(OddRegistry, SaysWhyItRefusesThoughHeadHasNoBody) {
  first_ = [&](const std::string& head) {
    auto reply = answer("403 Forbidden", "", R"({"errors": [{"message": "no such address"}]})");
    if (head.starts_with("HEAD ")) reply = answer("403 Forbidden", "", "");
    return reply;
  };
  EXPECT_EQ(error_of([&] { resolve(); }),
            host() + " answered 403 (no such address); check the name, and the login in DOCKER_CONFIG");
}

TEST_F(OddRegistry, MayKeepImagesInIndexesOfIndexes) {
  const auto amd = test::add_image_of_platform(files_, "linux/amd64", {"amd"});
  const auto arm = test::add_image_of_platform(files_, "linux/arm64", {"arm"});
  auto attestation = test::add_image(files_, "linux/amd64", {"attestation"});
  attestation.platform = image::Platform{"unknown", "unknown", ""};
  auto nested = test::add_index(files_, {test::add_index(files_, {amd}), attestation});
  root_ = test::add_index(files_, {attestation, arm, nested});
  EXPECT_EQ(layer_of(resolve("linux/amd64")), "amd");
  EXPECT_EQ(layer_of(resolve("linux/arm64")), "arm");
  EXPECT_EQ(error_of([&] { resolve("linux/s390x"); }),
            "the index holds no image for linux/s390x, only for linux/arm64, linux/amd64");
}

TEST_F(OddRegistry, NeedNotSayWhatTheImagesOfAnIndexAreFor) {
  root_ = test::add_index(files_, {test::add_image(files_, "linux/arm64", {"arm"}),
                                   test::add_image(files_, "linux/amd64", {"amd"})});
  EXPECT_EQ(layer_of(resolve("linux/amd64")), "amd");
}

TEST_F(OddRegistry, CannotKeepUsSearching) {
  std::vector<image::Descriptor> many;
  for (int i = 0; i < 120; ++i)
    many.push_back(test::add_image(files_, "linux/arm64", {std::to_string(i)}));
  root_ = test::add_index(files_, many);
  EXPECT_EQ(error_of([&] { resolve(); }),
            "it holds more than 100 indexes and images that do not say what they are for");
  root_ = test::add_image(files_, "linux/amd64", {"deep"});
  for (int i = 0; i < 5; ++i)
    root_ = test::add_index(files_, {root_});
  EXPECT_EQ(error_of([&] { resolve(); }), "it is nested too deep in indexes");
}

TEST_F(OddRegistry, CannotPassOneKindOfDocumentForTheOther) {
  type_ = "application/vnd.oci.image.index.v1+json; charset=utf-8";
  EXPECT_EQ(error_of([&] { resolve(); }),
            "it is said to be 'application/vnd.oci.image.index.v1+json', but is an image manifest");
  type_ = "application/octet-stream";
  root_.media_type = image::media_type::oci_index;
  root_ = test::add_index(files_, {root_});
  EXPECT_EQ(error_of([&] { resolve(); }),
            "it is said to be 'application/vnd.oci.image.index.v1+json', but is an image manifest");
}

TEST_F(OddRegistry, HoldsWhatIsNoImage) {
  const auto config = test::add_blob(files_, "{}", "application/vnd.cncf.helm.config.v1+json");
  root_ = test::add_blob(
      files_, image::to_json(image::Manifest{std::string(image::media_type::oci_manifest), config, {config}}),
      image::media_type::oci_manifest);
  EXPECT_EQ(
      error_of([&] { resolve(); }),
      "it is no image but an artifact, with a config of the type 'application/vnd.cncf.helm.config.v1+json'");
}

TEST_F(OddRegistry, MayRefuseATokenOnce) {
  int tokens = 0;
  first_ = [&](const std::string& head) -> std::optional<Reply> {
    if (head.starts_with("GET /token"))
      return answer("200 OK", "", R"({"Token": "number-)" + std::to_string(++tokens) + "\"}");
    if (head.find("Authorization: Bearer number-2") == std::string::npos) return want_token();
    return std::nullopt;
  };
  EXPECT_EQ(layer_of(resolve()), "layer");
  EXPECT_EQ(tokens, 2);
}

TEST_F(OddRegistry, MayRefuseATokenOnceThoughItsServiceHasNoOther) {
  int refused = 0;
  first_ = [&](const std::string& head) -> std::optional<Reply> {
    if (head.starts_with("GET /token")) return answer("200 OK", "", R"({"token": "t"})");
    if (head.find("Authorization: Bearer t") == std::string::npos || refused++ == 0) return want_token();
    return std::nullopt;
  };
  EXPECT_EQ(layer_of(resolve()), "layer");
}

TEST_F(OddRegistry, IsNotAskedAgainForRightsThatALoginLacks) {
  first_ = [&](const std::string& head) -> std::optional<Reply> {
    if (head.starts_with("GET /token")) return answer("200 OK", "", R"({"token": "t"})");
    return want_token(head.find("Authorization") == std::string::npos ? "" : ",error=\"insufficient_scope\"");
  };
  EXPECT_EQ(error_of([&] { resolve(); }),
            host() + " answered 401; check the name, and the login in DOCKER_CONFIG");
  EXPECT_EQ(requests_of("GET /token").size(), 1);
}

TEST_F(OddRegistry, GetsTheScopeItWantsAndTheOneWeNeed) {
  first_ = [&](const std::string& head) -> std::optional<Reply> {
    if (head.starts_with("GET /token")) return answer("200 OK", "", R"({"token": "t"})");
    if (head.find("Authorization") != std::string::npos) return std::nullopt;
    return want_token(",service=\"a & b\",scope=\"registry:catalog:*  repository:app:push,pull odd\"");
  };
  EXPECT_EQ(layer_of(resolve()), "layer");
  EXPECT_TRUE(requests_of("GET /token")
                  .at(0)
                  .starts_with("GET /token?service=a%20%26%20b&scope=odd%3a&scope=registry%3acatalog%3a%2a&"
                               "scope=repository%3aapp%3apull%2cpush HTTP"))
      << requests_of("GET /token").at(0);
}

TEST_F(OddRegistry, MayKnowOneOfTwoWaysToAskForATokenAlone) {
  std::string known;
  first_ = [&](const std::string& head) -> std::optional<Reply> {
    if (head.find(" /token") != std::string::npos) {
      return head.starts_with(known) ? answer("200 OK", "", R"({"access_token": "t"})")
                                     : answer("404 Not Found", "", "");
    }
    if (head.find("Authorization: Bearer t") == std::string::npos) return want_token();
    return std::nullopt;
  };
  for (const auto* entry : {R"("userName": "alice", "password": "wonder:land")", R"("identityToken": "i")"}) {
    log_in(entry);
    for (const auto* way : {"GET", "POST"}) {
      known = way;
      EXPECT_EQ(layer_of(resolve()), "layer") << way << entry;
    }
  }
  const auto asked = requests_of("GET /token");
  EXPECT_NE(asked.at(0).find("Authorization: Basic " + hash::encode_base64("alice:wonder:land")),
            std::string::npos);
  EXPECT_NE(asked.back().find("Authorization: Basic " + hash::encode_base64(":i")), std::string::npos);
}

}  // namespace
}  // namespace registry
