#include "common/registry/credentials.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"

namespace registry {
namespace {

namespace fs = std::filesystem;
using test::error_of;

class CredentialsTest : public testing::Test {
protected:
  // As in every tool: a helper that does not read its input must not kill us.
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  Credentials of(const std::string& json) {
    std::ofstream(directory_.path() / "config.json") << json;
    return Credentials(directory_.path());
  }

  // A helper of a shell script on PATH.
  void make_helper(const std::string& name, const std::string& script) {
    const auto path = directory_.path() / ("docker-credential-" + name);
    std::ofstream(path) << "#!/bin/sh\n" << script;
    fs::permissions(path, fs::perms::owner_all);
    ::setenv("PATH", (directory_.path().string() + ":" + old_path_).c_str(), 1);
  }
  ~CredentialsTest() override { ::setenv("PATH", old_path_.c_str(), 1); }

  std::string old_path_ = std::getenv("PATH");
  sys::TempDir directory_{fs::temp_directory_path()};
};

TEST_F(CredentialsTest, NoFileMeansNoLogin) {
  EXPECT_EQ(Credentials(std::nullopt).find("a.example"), std::nullopt);
  EXPECT_EQ(Credentials(directory_.path()).find("a.example"), std::nullopt);
}

TEST_F(CredentialsTest, ReadsUserAndPasswordInBothForms) {
  auto credentials = of(R"({"auths": {"a.example": {"auth": "dTpwOnE="},
                                      "b.example:5000": {"username": "v", "password": "w"}}})");
  EXPECT_EQ(credentials.find("a.example"), (Credential{.username = "u", .password = "p:q"}));
  EXPECT_EQ(credentials.find("b.example:5000"), (Credential{.username = "v", .password = "w"}));
  EXPECT_EQ(credentials.find("b.example"), std::nullopt);
}

TEST_F(CredentialsTest, KnowsDockerHubByItsOldName) {
  auto credentials = of(R"({"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}})");
  EXPECT_EQ(credentials.find("registry-1.docker.io"), (Credential{.username = "u", .password = "p"}));
  EXPECT_EQ(of(R"({"auths": {"docker.io": {"auth": "dTpw"}}})").find("registry-1.docker.io")->username, "u");
}

TEST_F(CredentialsTest, FindsAHostThatWasLoggedInToByUrl) {
  auto credentials = of(R"({"auths": {"https://a.example/v1/": {"auth": "dTpw"}}})");
  EXPECT_EQ(credentials.find("a.example")->username, "u");
}

TEST_F(CredentialsTest, ReadsTokens) {
  auto credentials = of(R"({"auths": {"a.example": {"auth": "dTo=", "identitytoken": "i"},
                                      "b.example": {"registrytoken": "r"}}})");
  EXPECT_EQ(credentials.find("a.example")->identity_token, "i");
  EXPECT_EQ(credentials.find("b.example")->registry_token, "r");
}

// As Go programs read it.
TEST_F(CredentialsTest, ReadsFieldsInAnyCase) {
  make_helper("odd", "echo '{\"username\":\"u\",\"SECRET\":\"s\"}'\n");
  auto credentials = of(R"({"Auths": {"a.example": {"Auth": "dTpw", "email": null}, "n.example": null},
                            "credhelpers": {"b.example": "odd", "a.example": ""}, "CredsStore": "odd"})");
  EXPECT_EQ(credentials.find("a.example"), (Credential{.username = "u", .password = "p"}));
  EXPECT_EQ(credentials.find("b.example"), (Credential{.username = "u", .password = "s"}));
  EXPECT_EQ(credentials.find("n.example"), (Credential{.username = "u", .password = "s"}));
  EXPECT_EQ(
      of(R"({"auths": {"HTTPS://c.example/v2/": {"IdentityToken": "i"}}})").find("c.example")->identity_token,
      "i");
}

TEST_F(CredentialsTest, TakesNoPasswordOfTheFileWhereAHelperIsNamed) {
  make_helper("none", "echo 'credentials not found in native keychain'; exit 1\n");
  const std::string auths =
      R"("auths": {"a.example": {"auth": "dTpw"}, "b.example": {"registrytoken": "r"}})";
  auto credentials = of("{\"credsStore\": \"none\", " + auths + "}");
  EXPECT_EQ(credentials.find("a.example"), std::nullopt);
  EXPECT_EQ(credentials.find("b.example"), (Credential{.registry_token = "r"}));
}

TEST_F(CredentialsTest, NeverShowsASecretOfADamagedFile) {
  for (const auto* json :
       {R"({"auths": {"a.example": {"auth": "topsecret!"}}})",
        R"({"auths": {"a.example": {"auth": "dG9wc2VjcmV0"}}})",
        R"({"auths": {"a.example": {"password": ["topsecret"]}}})", R"({"auths": "topsecret"})",
        R"({"auths": {"a.example": {"password": "topsecret})"}) {
    const auto message = error_of([&] { of(json); });
    EXPECT_NE(message, "no error") << json;
    EXPECT_EQ(message.find("topsecret"), std::string::npos) << message;
  }
}

TEST_F(CredentialsTest, AsksTheHelperOfAHostOnce) {
  make_helper("one",
              "cat >> \"$0.asked\"; echo '{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}'\n");
  auto credentials = of(R"({"credHelpers": {"a.example": "one"}})");
  EXPECT_EQ(credentials.find("a.example"), (Credential{.username = "u", .password = "s"}));
  EXPECT_EQ(credentials.find("a.example"), (Credential{.username = "u", .password = "s"}));
  EXPECT_EQ(credentials.find("b.example"), std::nullopt);
  std::ifstream asked(directory_.path() / "docker-credential-one.asked");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(asked), {}), "a.example\n");
}

TEST_F(CredentialsTest, AsksTheStoreForAllOtherHosts) {
  make_helper("all",
              "read host; echo \"{\\\"Username\\\":\\\"<token>\\\",\\\"Secret\\\":\\\"for $host\\\"}\"\n");
  auto credentials = of(R"({"credsStore": "all", "auths": {"a.example": {}}})");
  EXPECT_EQ(credentials.find("a.example")->identity_token, "for a.example");
  EXPECT_EQ(credentials.find("registry-1.docker.io")->identity_token, "for https://index.docker.io/v1/");
}

TEST_F(CredentialsTest, AHelperThatHasNothingMeansNoLogin) {
  make_helper("none", "echo 'credentials not found in native keychain'; exit 1\n");
  EXPECT_EQ(of(R"({"credHelpers": {"a.example": "none"}})").find("a.example"), std::nullopt);
}

TEST_F(CredentialsTest, AHelperThatFailsIsAnErrorNamingIt) {
  make_helper("bad", "echo 'no bus'; exit 3\n");
  EXPECT_EQ(error_of([&] { of(R"({"credHelpers": {"a.example": "bad"}})").find("a.example"); }),
            "credential helper 'docker-credential-bad' exited with 3: no bus");
  EXPECT_EQ(
      error_of([&] { of(R"({"credsStore": "absent"})").find("a.example"); }),
      "config.json names the credential helper 'docker-credential-absent', which is not on PATH; install "
      "it, or log in with 'auths' instead");
  EXPECT_EQ(error_of([&] { of(R"({"credsStore": "../x"})").find("a.example"); }),
            "config.json names the credential helper '../x', which is no name");
}

TEST_F(CredentialsTest, AHelperThatPrintsNoLoginIsAnErrorNamingItAndNotWhatItPrinted) {
  for (const std::string printed :
       {"topsecret", "", "{\"Username\": \"u\", \"Secret\": [\"topsecret\"]}", "[]"}) {
    make_helper("odd", "cat <<'END'\n" + printed + "\nEND\n");
    const auto message = error_of([&] { of(R"({"credHelpers": {"a.example": "odd"}})").find("a.example"); });
    EXPECT_TRUE(message.starts_with("credential helper 'docker-credential-odd' gives no login: its output"))
        << message;
    EXPECT_TRUE(
        message.ends_with("; see what 'echo a.example | docker-credential-odd get' does there, or log "
                          "in with 'auths' instead"))
        << message;
    EXPECT_EQ(message.find("topsecret"), std::string::npos) << message;
  }
}

TEST_F(CredentialsTest, AHelperThatDoesNotEndIsStopped) {
  for (const std::string script : {"exec sleep 1000\n", "exec >&-\nexec sleep 1000\n"}) {
    make_helper("slow", script);
    std::ofstream(directory_.path() / "config.json") << R"({"credsStore": "slow"})";
    Credentials credentials(directory_.path(), std::chrono::milliseconds(50));
    EXPECT_EQ(error_of([&] { credentials.find("a.example"); }),
              "credential helper 'docker-credential-slow' has not ended within 1 second; see what 'echo "
              "a.example | "
              "docker-credential-slow get' does there, or log in with 'auths' instead");
  }
}

}  // namespace
}  // namespace registry
