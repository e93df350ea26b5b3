#include <sys/socket.h>
#include <sys/un.h>

#include "common/sys/fd.hpp"
#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

class Credentials : public RequestTest {
protected:
  // A socket that lies there; nobody listens on it.
  static void make_socket(const std::string& path) {
    const sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }

  // "id: env path path raw" each.
  static Strings shown(const std::vector<document::Ssh>& keys) {
    Strings lines;
    for (const auto& key : keys) {
      lines.push_back(key.id + ":" + (key.env ? " $" + *key.env : ""));
      for (const auto& path : key.paths)
        lines.back() += " " + path.string();
      if (key.raw) lines.back() += " raw";
    }
    return lines;
  }
};

TEST_F(Credentials, SecretsTravelAsReferences) {
  write("secrets/npmrc", "token=hunter2");
  const auto request =
      read({{"BUILDKIT_SECRET_npmrc", "secrets/npmrc"}, {"BUILDKIT_SECRETTEXT_token", "hunter2"}});
  ASSERT_EQ(request.secrets.size(), 2U);
  EXPECT_EQ(request.secrets[0].id, "npmrc");
  EXPECT_EQ(request.secrets[0].file, "secrets/npmrc");
  EXPECT_EQ(request.secrets[1].id, "token");
  EXPECT_EQ(request.secrets[1].env, "BUILDKIT_SECRETTEXT_token");
  EXPECT_EQ(to_json(request).find("hunter2"), std::string::npos);
}

TEST_F(Credentials, ASecretTextMayBeEmptyOrBytes) {
  EXPECT_EQ(read({{"BUILDKIT_SECRETTEXT_a", ""}, {"BUILDKIT_SECRETTEXT_b", "\xff"}}).secrets.size(), 2U);
}

TEST_F(Credentials, ASecretFileMustBeThereAndSmallEnough) {
  write("large", std::string(500 * 1024 + 1, 'x'));
  write("limit", std::string(500 * 1024, 'x'));
  EXPECT_EQ(error_of({{"BUILDKIT_SECRET_a", "."}}),
            "BUILDKIT_SECRET_a: '.' is a directory; name a file in it");
  EXPECT_EQ(error_of({{"BUILDKIT_SECRET_a", "large"}}),
            "BUILDKIT_SECRET_a: 'large' holds 500.0 KiB, but a secret has at most 500.0 KiB");
  EXPECT_EQ(read({{"BUILDKIT_SECRET_a", "limit"}}).secrets.size(), 1U);
  EXPECT_TRUE(read({{"BUILDKIT_SECRET_a", ""}}).secrets.empty());
}

TEST_F(Credentials, ASecretGivenWhereAPathBelongsIsNotShown) {
  const std::string key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n";
  EXPECT_EQ(error_of({{"BUILDKIT_SECRET_a", "hunter2"}}),
            "BUILDKIT_SECRET_a: the value is not the path of a file that exists; name one, or give the "
            "secret itself as "
            "BUILDKIT_SECRETTEXT_a");
  EXPECT_EQ(error_of({{"BUILDKIT_SSH", key}}),
            "BUILDKIT_SSH: the value is the text of a key; give it as BUILDKIT_SSHTEXT_default");
  EXPECT_EQ(error_of({{"BUILDKIT_TLS_KEY", key}}).find("hunter2"), std::string::npos);
}

TEST_F(Credentials, OneIdCannotBeBothFileAndText) {
  write("a");
  EXPECT_EQ(error_of({{"BUILDKIT_SECRET_x", "a"}, {"BUILDKIT_SECRETTEXT_x", "hunter2"}}),
            "BUILDKIT_SECRET_x and BUILDKIT_SECRETTEXT_x give the same secret; set one of the two");
}

TEST_F(Credentials, SshTakesKeysAndSocketsForSeveralIds) {
  write("one");
  write("two");
  make_socket("agent");
  const auto ssh = [](const std::string& value) {
    return shown(read({{"BUILDKIT_SSH", value}, {"SSH_AUTH_SOCK", "/agent"}}).ssh);
  };
  EXPECT_EQ(ssh("default"), (Strings{"default:"}));
  EXPECT_EQ(ssh("github=one"), (Strings{"github: one"}));
  EXPECT_EQ(ssh("github=one,two"), (Strings{"github: one two"}));
  EXPECT_EQ(ssh("a=one,two,b=two\nc=agent;d"), (Strings{"a: one two", "b: two", "c: agent", "d:"}));
  EXPECT_EQ(ssh("default,other=one"), (Strings{"default:", "other: one"}));
  EXPECT_EQ(ssh("=one"), (Strings{"default: one"}));
  EXPECT_EQ(ssh("s=agent,raw=true"), (Strings{"s: agent raw"}));
}

TEST_F(Credentials, SshNamesWhatIsMissing) {
  write("one");
  make_socket("agent");
  EXPECT_EQ(error_of({{"BUILDKIT_SSH", "default"}}),
            "BUILDKIT_SSH: 'default' names no key and SSH_AUTH_SOCK is not set; write default=PATH");
  EXPECT_EQ(error_of({{"BUILDKIT_SSH", "a=absent"}}),
            "BUILDKIT_SSH: 'absent' does not exist; is its input missing from the task?");
  EXPECT_EQ(error_of({{"BUILDKIT_SSH", "a=agent,one"}}),
            "BUILDKIT_SSH: 'a' mixes an agent's socket with others; give it the socket alone");
  EXPECT_EQ(error_of({{"BUILDKIT_SSH", "a=one,raw=true"}}),
            "BUILDKIT_SSH: 'a' is raw, which needs exactly one path, a socket");
  EXPECT_EQ(error_of({{"BUILDKIT_SSH", "a=agent,raw=maybe"}}),
            "BUILDKIT_SSH: raw: 'maybe' is neither true nor false; use 'true' or 'false'");
  EXPECT_EQ(error_of({{"BUILDKIT_SSH", "a=one;a=agent"}}),
            "BUILDKIT_SSH: the id 'a' is given twice; keep one");
}

TEST_F(Credentials, SshTextTravelsAsAReference) {
  const std::string key = "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\n";
  const auto request = read({{"BUILDKIT_SSHTEXT_deploy", key}, {"BUILDKIT_SSHTEXT_unset", ""}});
  EXPECT_EQ(shown(request.ssh), (Strings{"deploy: $BUILDKIT_SSHTEXT_deploy"}));
  EXPECT_EQ(to_json(request).find("hunter2"), std::string::npos);
}

TEST_F(Credentials, SshTextMustBeAKeyAndIsNeverShown) {
  write("one");
  EXPECT_EQ(
      error_of({{"BUILDKIT_SSHTEXT_a", "hunter2"}}),
      "BUILDKIT_SSHTEXT_a: the value is no private key; it must be the text of one, with its line breaks");
  EXPECT_EQ(error_of({{"BUILDKIT_SSHTEXT_a", "-----BEGIN x"}, {"BUILDKIT_SSH", "a=one"}}),
            "BUILDKIT_SSH: the id 'a' is given twice; keep one");
}

TEST_F(Credentials, DockerConfigIsADirectory) {
  write("docker/config.json", "{}");
  make_directory("empty");
  EXPECT_EQ(read({{"DOCKER_CONFIG", "docker"}}).docker_config, "docker");
  EXPECT_EQ(read({{"DOCKER_CONFIG", "empty"}}).docker_config, "empty");
}

TEST_F(Credentials, DockerConfigSaysWhatItMustBeWithoutShowingLogins) {
  write("docker/config.json", "{}");
  write("config.json", "{}");
  write("broken/config.json", "{\"auths\": hunter2");
  EXPECT_EQ(
      error_of({{"DOCKER_CONFIG", "docker/config.json"}}),
      "DOCKER_CONFIG: 'docker/config.json' is a file; name the directory that holds config.json, 'docker'");
  EXPECT_EQ(error_of({{"DOCKER_CONFIG", "config.json"}}),
            "DOCKER_CONFIG: 'config.json' is a file; name the directory that holds config.json, '.'");
  EXPECT_EQ(error_of({{"DOCKER_CONFIG", "{\"auths\": {\"x\": \"hunter2\"}}"}}),
            "DOCKER_CONFIG: the value is the text of a configuration; write it to DIRECTORY/config.json in "
            "an earlier "
            "task and name that directory");
  EXPECT_EQ(error_of({{"DOCKER_CONFIG", "broken"}}),
            "DOCKER_CONFIG: 'broken/config.json' is not JSON: error at line 1, column 11");
  EXPECT_EQ(error_of({{"DOCKER_CONFIG", "absent"}}),
            "DOCKER_CONFIG: 'absent' does not exist; is its input missing from the task?");
}

}  // namespace
