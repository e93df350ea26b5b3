// Pulls from real registries that want a login or a certificate.
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/common/registry/pull_fixture.hpp"

namespace registry {
namespace {

using test::error_of;

class LoginTest : public PullTest {
protected:
  static constexpr auto user = "alice";
  static constexpr auto password = "wonder:land";

  test::Server start_private(const std::string& tls = "") {
    const auto file = directory_.path() / "htpasswd";
    std::ofstream(file) << test::run({"htpasswd", "-Bbn", user, password});
    return test::start_registry(
        directory_.path(), "private", world().data,
        {.auth = "{htpasswd: {realm: tests, path: " + file.string() + "}}", .tls = tls});
  }

  test::Server start_tls(const std::string& more = "") {
    const auto base = world().make_certificates("registry");
    return test::start_registry(
        directory_.path(), "tls", world().data,
        {.tls = "{certificate: " + base + ".pem, key: " + base + ".key" + more + "}"});
  }
};

TEST_F(LoginTest, ByUserAndPassword) {
  const auto server = start_private();
  log_in(server.address(), user, password);
  expect_layers(pull(server.address() + "/app:1"), world().layers);
}

TEST_F(LoginTest, ThatIsMissingOrWrongIsSaidSo) {
  const auto server = start_private();
  const auto name = server.address() + "/app:1";
  EXPECT_EQ(error_of([&] { pull(name); }),
            server.address() + " asks for a user and password; give them by DOCKER_CONFIG");
  log_in(server.address(), user, "secret-guess");
  EXPECT_EQ(error_of([&] { pull(name); }),
            server.address() + " answered 401; check the name, and the login in DOCKER_CONFIG");
}

TEST_F(LoginTest, IsNotShownToWhereARegistryRedirects) {
  const auto server = start_private();
  test::FaultProxy storage(directory_.path(), "storage", world().registry);
  test::FaultProxy front(directory_.path(), "front", server);
  front.set_faults(R"([{"match": "GET .*/blobs/", "redirect": ")" + storage.url() + R"("}])");
  log_in(front.address(), user, password);
  expect_layers(pull(front.address() + "/app:1"), world().layers);
  const auto requests = storage.requests();
  EXPECT_EQ(requests.size(), 4);
  for (const auto& request : requests) {
    EXPECT_EQ(request.authorization, "") << request.line();
  }
}

TEST_F(LoginTest, ByACertificateOfAPrivateAuthority) {
  const auto server = start_tls();
  hosts_[server.address()] = {.plain_http = false, .ca = {world().directory.path() / "ca.pem"}};
  expect_layers(pull(server.address() + "/app:1"), world().layers);
}

TEST_F(LoginTest, RefusesACertificateOfAnUnknownAuthority) {
  const auto server = start_tls();
  const auto name = server.address() + "/app:1";
  hosts_[server.address()] = {.plain_http = false};
  const auto message = error_of([&] { pull(name); });
  EXPECT_TRUE(message.starts_with("cannot get https://" + server.address())) << message;
  EXPECT_TRUE(message.ends_with("; give the certificate of its authority as 'ca' in BUILDKIT_EXTRA_CONFIG"))
      << message;
}

TEST_F(LoginTest, TakesAnyCertificateOfAnInsecureRegistry) {
  const auto server = start_tls();
  hosts_[server.address()] = {.plain_http = false, .insecure = true};
  expect_layers(pull(server.address() + "/app:1"), world().layers);
}

TEST_F(LoginTest, ShowsItsKeyPairToARegistryThatAsks) {
  const auto server = start_tls(", clientcas: [" + (world().directory.path() / "ca.pem").string() + "]");
  const auto own = world().make_certificates("client");
  HostSettings settings{.plain_http = false, .ca = {world().directory.path() / "ca.pem"}};
  hosts_[server.address()] = settings;
  std::vector<std::string> told;
  Puller pulling(this->settings(), open_store(), [&](const auto& message) { told.push_back(message); });
  EXPECT_NE(error_of([&] { pulling.resolve(reference_of(server.address() + "/app:1"), {}); }), "no error");
  EXPECT_EQ(told, std::vector<std::string>{});  // to ask again would be of no use
  settings.key_pair = http::KeyPair{own + ".pem", own + ".key"};
  hosts_[server.address()] = settings;
  expect_layers(pull(server.address() + "/app:1"), world().layers);
}

TEST_F(LoginTest, SpeaksPlainHttpToAnInsecureRegistryWithoutTls) {
  hosts_[world().registry.address()] = {.plain_http = true, .insecure = true};
  expect_layers(pull(world().registry.address() + "/app:1"), world().layers);
}

class TokenTest : public PullTest {
protected:
  static constexpr auto identity_token = "identity-of-alice";

  void SetUp() override {
    PullTest::SetUp();
    if (IsSkipped()) return;
    const auto [key, certificate] = world().token_key();
    service_ = std::make_unique<test::Server>(
        std::vector<std::string>{test::support_directory() + "/token-server", key, certificate,
                                 "alice:wonderland", identity_token},
        directory_.path() / "token.log");
    registry_ = std::make_unique<test::Server>(test::start_registry(
        directory_.path(), "token", world().data,
        {.auth = "{token: {realm: \"" + service_->url("/token") +
                 "\", service: registry, issuer: tests, rootcertbundle: " + certificate + "}}"}));
    front_ = std::make_unique<test::FaultProxy>(directory_.path(), "front", *registry_);
  }

  // Since the last call.
  std::vector<std::string> scopes_given() {
    return nlohmann::json::parse(service_->control("/-/log")).get<std::vector<std::string>>();
  }

  std::unique_ptr<test::Server> service_;
  std::unique_ptr<test::Server> registry_;
  std::unique_ptr<test::FaultProxy> front_;
};

TEST_F(TokenTest, OneTokenServesAllOfOneRepository) {
  log_in(front_->address(), "alice", "wonderland");
  expect_layers(pull(front_->address() + "/app:1"), world().layers);
  EXPECT_EQ(scopes_given(), std::vector<std::string>{"repository:app:pull"});
}

TEST_F(TokenTest, EveryRepositoryHasItsOwn) {
  log_in(front_->address(), "alice", "wonderland");
  auto pulling = puller();
  for (const auto* name : {"/app:1", "/multi:1", "/app:1"})
    pulling.resolve(reference_of(front_->address() + name), {});
  EXPECT_EQ(scopes_given(), (std::vector<std::string>{"repository:app:pull", "repository:multi:pull"}));
}

TEST_F(TokenTest, OneTokenServesWhoeverNeedsItAtTheSameTime) {
  front_->set_faults(R"([{"match": "HEAD .*/manifests/", "gather": 2}])");
  log_in(front_->address(), "alice", "wonderland");
  auto pulling = puller();
  const auto resolve = [&](const char* platform) {
    EXPECT_EQ(pulling.resolve(reference_of(front_->address() + "/multi:1"), image::Platform::parse(platform))
                  .config.platform.str(),
              platform);
  };
  {
    const std::jthread other([&] { resolve("linux/arm64"); });
    resolve("linux/amd64");
  }
  EXPECT_EQ(scopes_given(), std::vector<std::string>{"repository:multi:pull"});
}

TEST_F(TokenTest, ATokenThatIsRefusedLaterIsReplaced) {
  front_->set_faults(R"([{"match": "GET .*/blobs/", "answer": 401, "times": 1, "headers": {"WWW-Authenticate":
      "Bearer realm=\")" +
                     service_->url("/token") +
                     R"(\",service=\"registry\",scope=\"repository:app:pull\",error=\"invalid_token\""}}])");
  log_in(front_->address(), "alice", "wonderland");
  expect_layers(pull(front_->address() + "/app:1"), world().layers);
  EXPECT_EQ(scopes_given().size(), 2);
}

TEST_F(TokenTest, AnIdentityTokenIsTradedForOne) {
  docker_config_ = directory_.path();
  const nlohmann::json config = {{"auths", {{front_->address(), {{"identitytoken", identity_token}}}}}};
  std::ofstream(directory_.path() / "config.json") << config;
  expect_layers(pull(front_->address() + "/app:1"), world().layers);
  EXPECT_EQ(scopes_given().size(), 1);
}

TEST_F(TokenTest, AServiceThatRefusesIsNamed) {
  const auto name = front_->address() + "/app:1";
  EXPECT_EQ(error_of([&] { pull(name); }), "the token service " + service_->url("/token") +
                                               " asks for a login; give one for " + front_->address() +
                                               " by DOCKER_CONFIG");
  log_in(front_->address(), "alice", "secret-guess");
  EXPECT_EQ(error_of([&] { pull(name); }), "the token service " + service_->url("/token") +
                                               " refuses the login for " + front_->address() +
                                               " in DOCKER_CONFIG");
}

}  // namespace
}  // namespace registry
