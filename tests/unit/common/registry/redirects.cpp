// Logins and redirects: two servers that a test plays, A that there is a login for and B where A redirects
// to.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/hash/base64.hpp"
#include "common/registry/client.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/scripted_server.hpp"

namespace registry {
namespace {

using test::answer;
using test::Reply;
using test::ScriptedServer;

const std::string login = "Basic " + hash::encode_base64("alice:wonderland");

class Redirects : public testing::Test {
protected:
  // Asks A, or what stands first for it, for `path`, with a login for A alone.
  std::string get(const std::string& path, http::Method method = http::Method::get) {
    const std::string host = "127.0.0.1:" + std::to_string(a_.port());
    sys::write_file(directory_.path() / "config.json", R"({"auths": {")" + host + R"(": {)" + login_ + "}}}");
    Settings settings{.docker_config = directory_.path()};
    if (!mirror_.empty()) settings.hosts[host].mirrors = {mirror_};
    settings.retry = {.attempts = 3, .first_delay = std::chrono::milliseconds(1)};
    Client client(settings);
    std::string body;
    client.ask(endpoints_of(settings, host).at(0), true, "app",
               {.method = method, .path = path, .content = http::Content::fixed}, 0, {},
               [&](std::span<const std::byte> data) {
                 body.append(reinterpret_cast<const char*>(data.data()), data.size());
               });
    return body;
  }

  void expect_no_login_at_b() const {
    for (const auto& request : b_.requests())
      EXPECT_EQ(request.find("Authorization"), std::string::npos) << request;
  }

  static std::string line_of(const std::string& head) { return head.substr(0, head.find(" HTTP/")); }

  static Reply redirect(const std::string& url) {
    return answer("307 Temporary Redirect", "Location: " + url + "\r\n", "");
  }

  static Reply challenge(const std::string& text) {
    return answer("401 Unauthorized", "WWW-Authenticate: " + text + "\r\n", "");
  }

  std::string login_ = R"("username": "alice", "password": "wonderland")";
  std::string mirror_;
  std::function<Reply(const std::string& head)> of_a_;
  std::function<Reply(const std::string& head)> of_b_;
  sys::TempDir directory_{sys::scratch_directory()};
  ScriptedServer b_{[this](const std::string& head, auto) { return of_b_(head); }};
  ScriptedServer a_{[this](const std::string& head, auto) { return of_a_(head); }};
};

TEST_F(Redirects, LeadToNobodyWhoGetsTheLoginByAChallenge) {
  using http::Method;
  const std::vector<std::pair<Method, std::string>> steps = {
      {Method::head, "manifests/1"}, {Method::get, "manifests/1"}, {Method::get, "blobs/sha256:0"}};
  for (const auto& [method, path] : steps) {
    const std::vector<std::string> challenges = {"Bearer realm=\"" + b_.url("/token") + "\",service=\"b\"",
                                                 "Basic realm=\"b\"",
                                                 "Bearer realm=\"" + a_.url("/token") + "\""};
    for (const auto& kind : challenges) {
      of_a_ = [&](auto&) { return redirect(b_.url("/stolen")); };
      of_b_ = [&](const std::string& head) {
        return head.starts_with("GET /token") ? answer("200 OK", "", R"({"token": "t"})") : challenge(kind);
      };
      const auto reason = test::error_of([&, &path = path, &method = method] { get(path, method); });
      EXPECT_NE(reason.find("redirects to " + b_.url("/stolen") + ", which asks for a login"),
                std::string::npos)
          << reason;
      expect_no_login_at_b();
      for (const auto& request : b_.requests())
        EXPECT_NE(line_of(request).find(" /stolen"), std::string::npos) << request;
    }
  }
}

TEST_F(Redirects, CarryNoTokenThatTheRegistryHasAskedFor) {
  of_a_ = [&](const std::string& head) {
    if (head.starts_with("GET /token")) return answer("200 OK", "", R"({"token": "of-a"})");
    if (head.find("Authorization: Bearer of-a") == std::string::npos)
      return challenge("Bearer realm=\"" + a_.url("/token") + "\"");
    return redirect(b_.url("/blob"));
  };
  of_b_ = [&](auto&) { return answer("200 OK", "", "content"); };
  EXPECT_EQ(get("blobs/sha256:0"), "content");
  expect_no_login_at_b();
}

// The protocol lets a registry name a token service on another host.
TEST_F(Redirects, DoNotMatterToATokenServiceThatTheRegistryItselfNames) {
  of_a_ = [&](const std::string& head) {
    return head.find("Authorization: Bearer of-b") == std::string::npos
               ? challenge("Bearer realm=\"" + b_.url("/token") + "\"")
               : answer("200 OK", "", "content");
  };
  of_b_ = [&](auto&) { return answer("200 OK", "", R"({"token": "of-b"})"); };
  EXPECT_EQ(get("manifests/1"), "content");
  EXPECT_NE(b_.requests().at(0).find("Authorization: " + login), std::string::npos);
}

TEST_F(Redirects, OfATokenServiceCarryNoLogin) {
  of_a_ = [&](const std::string& head) {
    if (head.starts_with("GET /token")) return redirect(b_.url("/token"));
    return challenge("Bearer realm=\"" + a_.url("/token") + "\"");
  };
  of_b_ = [&](auto&) { return challenge("Basic realm=\"b\""); };
  const auto reason = test::error_of([&] { get("manifests/1"); });
  EXPECT_NE(reason.find("the token service"), std::string::npos) << reason;
  EXPECT_EQ(b_.requests().size(), 1);
  expect_no_login_at_b();
}

// The redirect of a POST would take the form along, with the token in it.
TEST_F(Redirects, OfATokenServiceCarryNoIdentityToken) {
  login_ = R"("identitytoken": "of-alice")";
  of_a_ = [&](const std::string& head) {
    if (head.starts_with("POST /token")) return redirect(b_.url("/token"));
    return challenge("Bearer realm=\"" + a_.url("/token") + "\"");
  };
  of_b_ = [&](auto&) { return answer("200 OK", "", R"({"token": "t"})"); };
  const auto reason = test::error_of([&] { get("manifests/1"); });
  EXPECT_NE(reason.find("answered 307"), std::string::npos) << reason;
  EXPECT_EQ(b_.requests().size(), 0);
}

TEST_F(Redirects, AreNotNeededForAMirrorToGetNoLoginOfWhatItStandsFor) {
  mirror_ = b_.url().substr(0, b_.url().size() - 1);
  for (const auto& kind : {"Bearer realm=\"" + b_.url("/token") + "\"", std::string("Basic realm=\"b\"")}) {
    of_a_ = [&](auto&) { return answer("200 OK", "", ""); };
    of_b_ = [&](auto&) { return challenge(kind); };
    EXPECT_THROW(get("manifests/1"), EndpointFailure);
    expect_no_login_at_b();
  }
  EXPECT_GT(b_.requests().size(), 0);
  EXPECT_EQ(a_.requests().size(), 0);
}

TEST_F(Redirects, OfADownloadThatGoesOnCarryNoLoginAndGetNone) {
  const std::string content(1000, 'x');
  int downloads = 0;
  of_a_ = [&](const std::string& head) {
    if (head.find("Authorization: " + login) == std::string::npos) return challenge("Basic realm=\"a\"");
    if (downloads++ > 0) return redirect(b_.url("/rest"));
    auto first = answer("200 OK", "", content);
    first.bytes.resize(first.bytes.size() - 500);
    return first;
  };
  of_b_ = [&](auto&) { return challenge("Bearer realm=\"" + b_.url("/token") + "\""); };
  const auto reason = test::error_of([&] { get("blobs/sha256:0"); });
  EXPECT_NE(reason.find("which asks for a login"), std::string::npos) << reason;
  EXPECT_EQ(b_.requests().size(), 1);
  EXPECT_NE(b_.requests().at(0).find("Range: bytes=500-"), std::string::npos);
  expect_no_login_at_b();
}

TEST_F(Redirects, ThatLeadBackToTheRegistryDoNotUseItsLoginForAPathOfTheirOwn) {
  of_a_ = [&](const std::string& head) {
    if (head.starts_with("GET /v2/secret"))
      return head.find("Authorization") == std::string::npos ? challenge("Basic realm=\"a\"")
                                                             : answer("200 OK", "", "secret");
    return head.find("Authorization") == std::string::npos ? challenge("Basic realm=\"a\"")
                                                           : redirect(b_.url("/x"));
  };
  of_b_ = [&](auto&) { return redirect(a_.url("/v2/secret")); };
  EXPECT_THROW(get("manifests/1"), EndpointFailure);
  expect_no_login_at_b();
}

}  // namespace
}  // namespace registry
