// Pushes to real registries, and to one that fails as no real one can be made to.
#include "common/registry/push.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "common/hash/sha256.hpp"
#include "common/util/text.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/registry/pull_fixture.hpp"

namespace registry {
namespace {

using test::answer;
using test::error_of;
using test::Reply;

Pusher::Read reader_of(const std::string& bytes) {
  return [&bytes](std::uint64_t offset, std::span<std::byte> buffer) {
    ASSERT_LE(offset + buffer.size(), bytes.size());
    std::memcpy(buffer.data(), bytes.data() + offset, buffer.size());
  };
}

store::Blob blob_of(const std::string& bytes) {
  return {hash::sha256(bytes), bytes.size()};
}

class PushTest : public PullTest {
protected:
  // A blob of one layer under a name of its own, for no two tests share a repository.
  std::string bytes(std::size_t size) {
    std::string text = directory_.path().string();
    while (text.size() < size)
      text += text;
    return text.substr(0, size);
  }

  std::vector<std::string> methods(const test::FaultProxy& server) {
    std::vector<std::string> found;
    for (const auto& request : server.requests())
      found.push_back(request.method);
    return found;
  }

  // An image of `layer`, pushed to `name` by `pusher` and pulled again.
  void push_and_pull(const std::string& name, const std::string& layer) {
    Pusher pusher(settings());
    const auto reference = reference_of(name);
    const std::string config =
        R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")" +
        hash::sha256(layer).str() + "\"]}}";
    const auto descriptor = [](const std::string& type, const std::string& content) {
      return image::Descriptor{.media_type = type, .digest = hash::sha256(content), .size = content.size()};
    };
    const image::Manifest manifest = {
        .media_type = std::string(image::media_type::oci_manifest),
        .config = descriptor("application/vnd.oci.image.config.v1+json", config),
        .layers = {descriptor("application/vnd.oci.image.layer.v1.tar", layer)}};
    EXPECT_EQ(pusher.put_blob(reference, blob_of(layer), reader_of(layer)), Arrival::uploaded);
    EXPECT_EQ(pusher.put_blob(reference, blob_of(config), reader_of(config)), Arrival::uploaded);
    pusher.put_manifest(reference, image::to_json(manifest), manifest.media_type);
    expect_layers(pull(name), {layer});
  }
};

TEST_F(PushTest, OfAnImageCanBePulled) {
  auto& front = proxy();
  push_and_pull(front.address() + "/pushed:1", bytes(2 << 20));
}

TEST_F(PushTest, SendsNothingThatIsThere) {
  auto& front = proxy();
  const auto reference = reference_of(front.address() + "/twice");
  const auto layer = bytes(1000);
  Pusher pusher(settings());
  EXPECT_EQ(pusher.put_blob(reference, blob_of(layer), reader_of(layer)), Arrival::uploaded);
  EXPECT_EQ(methods(front), (std::vector<std::string>{"HEAD", "POST", "PATCH", "PUT"}));
  EXPECT_EQ(pusher.put_blob(reference, blob_of(layer), reader_of(layer)), Arrival::was_there);
  EXPECT_EQ(methods(front), std::vector<std::string>{"HEAD"});
}

TEST_F(PushTest, TakesABlobFromAnotherRepositoryOfTheRegistry) {
  auto& front = proxy();
  const auto source = reference_of(front.address() + "/source");
  const auto layer = bytes(1001);
  Pusher pusher(settings());
  pusher.put_blob(source, blob_of(layer), reader_of(layer));
  methods(front);
  const auto never = [](std::uint64_t, std::span<std::byte>) { FAIL() << "bytes were sent"; };
  EXPECT_EQ(pusher.put_blob(reference_of(front.address() + "/mounted"), blob_of(layer), never, source),
            Arrival::mounted);
  EXPECT_EQ(methods(front), (std::vector<std::string>{"HEAD", "POST"}));
}

TEST_F(PushTest, SendsWhatTheOtherRepositoryDoesNotHave) {
  auto& front = proxy();
  const auto layer = bytes(1002);
  Pusher pusher(settings());
  EXPECT_EQ(pusher.put_blob(reference_of(front.address() + "/target"), blob_of(layer), reader_of(layer),
                            reference_of(front.address() + "/empty")),
            Arrival::uploaded);
  EXPECT_EQ(methods(front), (std::vector<std::string>{"HEAD", "POST", "PATCH", "PUT"}));
}

TEST_F(PushTest, SendsWhatMayNotBeMounted) {
  auto& front = proxy(R"([{"match": "POST .*mount=", "answer": 403}])");
  const auto layer = bytes(1003);
  Pusher pusher(settings());
  EXPECT_EQ(pusher.put_blob(reference_of(front.address() + "/target"), blob_of(layer), reader_of(layer),
                            reference_of(front.address() + "/secret")),
            Arrival::uploaded);
}

// docker-registry forgets uploads of which it has more than it has said.
TEST_F(PushTest, BeginsAnewWhereTheRegistryHasForgottenAnUploadThatWasCut) {
  auto& front = proxy(R"([{"match": "PATCH ", "take": 1500, "times": 2}])");
  const auto reference = reference_of(front.address() + "/cut");
  const auto layer = bytes(10'000);
  Pusher pusher(settings());
  EXPECT_EQ(pusher.put_blob(reference, blob_of(layer), reader_of(layer)), Arrival::uploaded);
  EXPECT_EQ(pusher.put_blob(reference, blob_of(layer), reader_of(layer)), Arrival::was_there);
  const auto found = methods(front);
  EXPECT_EQ(std::count(found.begin(), found.end(), "POST"), 3);
  EXPECT_EQ(std::count(found.begin(), found.end(), "PATCH"), 3);
}

TEST_F(PushTest, OfBytesThatAreNotTheBlobIsRefused) {
  const auto layer = bytes(100), other = std::string(100, 'x');
  Pusher pusher(settings());
  const auto error = error_of(
      [&] { pusher.put_blob(reference_of(proxy().address() + "/wrong"), blob_of(layer), reader_of(other)); });
  EXPECT_NE(error.find(" answered 400"), std::string::npos) << error;
}

TEST_F(PushTest, GoesToTheRegistryItselfAndNeverToItsMirror) {
  test::FaultProxy mirror(directory_.path(), "mirror", world().registry);
  auto& front = proxy();
  hosts_[front.address()].mirrors = {mirror.address()};
  push_and_pull(front.address() + "/mirrored:1", bytes(1004));
  for (const auto& request : mirror.requests())
    EXPECT_TRUE(request.method == "GET" || request.method == "HEAD") << request.line();
}

TEST_F(PushTest, LogsInByPasswordAndTrustsTheGivenAuthority) {
  const auto base = world().make_certificates("registry");
  const auto file = directory_.path() / "htpasswd";
  std::ofstream(file) << test::run({"htpasswd", "-Bbn", "alice", "wonder:land"});
  const auto server = test::start_registry(directory_.path(), "private", world().data,
                                           {.auth = "{htpasswd: {realm: tests, path: " + file.string() + "}}",
                                            .tls = "{certificate: " + base + ".pem, key: " + base + ".key}"});
  hosts_[server.address()].plain_http = false;
  Pusher stranger(settings());
  const auto layer = bytes(1006);
  const auto reference = reference_of(server.address() + "/private");
  EXPECT_NE(error_of([&] { stranger.put_blob(reference, blob_of(layer), reader_of(layer)); }), "no error");
  hosts_[server.address()].ca = {world().directory.path() / "ca.pem"};
  log_in(server.address(), "alice", "wonder:land");
  push_and_pull(server.address() + "/private:1", bytes(1005));
}

TEST_F(PushTest, AsksTheTokenServiceForTheRightToPush) {
  const auto [key, certificate] = world().token_key();
  const test::Server tokens(
      {test::support_directory() + "/token-server", key, certificate, "alice:pw", "refresh"},
      directory_.path() / "tokens.log");
  const auto server = test::start_registry(
      directory_.path(), "tokens-registry", world().data,
      {.auth = "{token: {realm: \"" + tokens.url("/token") +
               "\", service: registry, issuer: tests, rootcertbundle: " + certificate + "}}"});
  log_in(server.address(), "alice", "pw");
  const auto layer = bytes(1007);
  Pusher pusher(settings());
  EXPECT_EQ(pusher.put_blob(reference_of(server.address() + "/tokens/b"), blob_of(layer), reader_of(layer)),
            Arrival::uploaded);
  EXPECT_EQ(tokens.control("/-/log"), R"(["repository:tokens/b:pull,push"])");
  EXPECT_EQ(pusher.put_blob(reference_of(server.address() + "/tokens/c"), blob_of(layer), reader_of(layer),
                            reference_of(server.address() + "/tokens/b")),
            Arrival::mounted);
  EXPECT_NE(tokens.control("/-/log").find("repository:tokens/b:pull\""), std::string::npos);
}

// A registry that keeps its uploads elsewhere; `fields` are those of its answer to who begins one.
class Uploads : public PushTest {
protected:
  test::ScriptedServer registry(const std::string& location) {
    return test::ScriptedServer([location](const std::string& head, std::size_t) {
      if (head.find("\r\nAuthorization: ") == std::string::npos)
        return answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
      if (head.starts_with("HEAD ")) return answer("404 Not Found", "", "");
      return answer("202 Accepted", location.empty() ? "" : "Location: " + location + "\r\n", "");
    });
  }

  std::string error_of_push(const std::string& address, const std::string& layer) {
    log_in(address, "alice", "secret");
    Pusher pusher(settings());
    return error_of(
        [&] { pusher.put_blob(reference_of(address + "/app"), blob_of(layer), reader_of(layer)); });
  }
};

std::string address_of(const test::ScriptedServer& server) {
  return "127.0.0.1:" + std::to_string(server.port());
}

TEST_F(Uploads, ElsewhereGetNoLogin) {
  test::ScriptedServer storage([](const std::string& head, std::size_t) {
    return answer(head.starts_with("PUT ") ? "201 Created" : "202 Accepted", "Location: /next?state=1\r\n",
                  "");
  });
  const auto server = registry(storage.url("/upload?state=0"));
  EXPECT_EQ(error_of_push(address_of(server), "some bytes"), "no error");
  ASSERT_EQ(storage.requests().size(), 2);
  EXPECT_TRUE(storage.requests()[1].starts_with("PUT /next?state=1&digest=sha256%3a"))
      << storage.requests()[1];
  for (const auto& head : storage.requests())
    EXPECT_EQ(head.find("Authorization"), std::string::npos) << head;
}

// The place of the upload asks for a certificate of the client's, and ends the handshake of who shows none.
TEST_F(Uploads, ElsewhereGetNoKeyPair) {
  const auto base = world().make_certificates("registry"), own = world().make_certificates("client");
  const auto ca = world().directory.path() / "ca.pem";
  const auto storage = test::start_registry(
      directory_.path(), "storage", world().data,
      {.tls = "{certificate: " + base + ".pem, key: " + base + ".key, clientcas: [" + ca.string() + "]}"});
  const auto server = registry("https://" + storage.address() + "/v2/app/blobs/uploads/");
  hosts_[address_of(server)] = {.ca = {ca}, .key_pair = http::KeyPair{own + ".pem", own + ".key"}};
  const auto error = error_of_push(address_of(server), "some bytes");
  EXPECT_NE(error.find("cannot send to https://" + storage.address()), std::string::npos) << error;
  EXPECT_NE(error.find(" alert "), std::string::npos) << error;
}

TEST_F(Uploads, ElsewhereThatAskForALoginGetNone) {
  test::ScriptedServer storage(
      [](auto&, auto) { return answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", ""); });
  const auto server = registry(storage.url("/upload"));
  EXPECT_NE(
      error_of_push(address_of(server), "some bytes").find("which asks for a login that it cannot have"),
      std::string::npos);
  for (const auto& head : storage.requests())
    EXPECT_EQ(head.find("Authorization"), std::string::npos) << head;
}

TEST_F(Uploads, NowhereOrAtNoUrlAreSaidSo) {
  const auto nowhere = registry("");
  EXPECT_EQ(error_of_push(address_of(nowhere), "x"),
            address_of(nowhere) + " does not say where an upload goes on");
  const auto odd = registry("gopher://elsewhere/");
  EXPECT_NE(error_of_push(address_of(odd), "x").find(" wants an upload at an "), std::string::npos);
}

TEST_F(Uploads, GoOnAfterACutWithWhatIsMissing) {
  const std::string layer = "0123456789";
  test::ScriptedServer server([](const std::string& head, std::size_t) {
    if (head.starts_with("HEAD ")) return answer("404 Not Found", "", "");
    if (head.starts_with("PATCH /first ")) return Reply{.bytes = "", .takes = 4};
    if (head.starts_with("GET /first "))
      return answer("204 No Content", "Location: /second\r\nRange: 0-3\r\n", "");
    if (head.starts_with("PUT ")) return answer("201 Created", "", "");
    return answer("202 Accepted", head.starts_with("POST ") ? "Location: /first\r\n" : "Location: /third\r\n",
                  "");
  });
  EXPECT_EQ(error_of_push(address_of(server), layer), "no error");
  EXPECT_EQ(server.bodies(), (std::vector<std::string>{"", "", "0123", "", "456789", ""}));
  ASSERT_EQ(server.requests().size(), 6);
  EXPECT_TRUE(server.requests()[4].starts_with("PATCH /second ")) << server.requests()[4];
  EXPECT_NE(server.requests()[4].find("\r\nContent-Range: 4-9\r\n"), std::string::npos)
      << server.requests()[4];
  EXPECT_TRUE(server.requests()[5].starts_with("PUT /third?digest=")) << server.requests()[5];
}

TEST_F(Uploads, AreGivenUpWhenARegistryAlwaysSaysItHasNothing) {
  std::atomic<int> sent = 0;
  test::ScriptedServer server([&](const std::string& head, std::size_t) {
    if (head.starts_with("HEAD ")) return answer("404 Not Found", "", "");
    if (head.starts_with("PATCH ")) {
      ++sent;
      return Reply{.bytes = "", .takes = 1};
    }
    return answer("202 Accepted", "Location: /upload\r\nRange: 0-99999999999999999999\r\n", "");
  });
  EXPECT_NE(error_of_push(address_of(server), std::string(100, 'x')), "no error");
  EXPECT_EQ(sent, 5 * 4);  // five uploads with the attempts of any other request
}

TEST_F(Uploads, OfAManifestThatBecomesAnotherAreRefused) {
  test::ScriptedServer server([](auto&, auto) {
    return answer("201 Created", "Docker-Content-Digest: " + hash::sha256("other").str() + "\r\n", "");
  });
  Pusher pusher(settings());
  EXPECT_NE(error_of([&] {
              pusher.put_manifest(reference_of(address_of(server) + "/app"), "{}", "type");
            }).find("says that it took other bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace registry
