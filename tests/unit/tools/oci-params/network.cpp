#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

class Network : public RequestTest {};

TEST_F(Network, AddHostsTakesIpv4AndIpv6) {
  const auto hosts =
      read({{"BUILDKIT_ADD_HOSTS", "git=10.0.0.7, six=2001:db8::1,brackets=[::1],"}}).add_hosts;
  ASSERT_EQ(hosts.size(), 3U);
  EXPECT_EQ(hosts[0].host + " " + hosts[0].ip, "git 10.0.0.7");
  EXPECT_EQ(hosts[1].host + " " + hosts[1].ip, "six 2001:db8::1");
  EXPECT_EQ(hosts[2].host + " " + hosts[2].ip, "brackets ::1");
}

TEST_F(Network, AddHostsRefusesWhatIsNoAddress) {
  EXPECT_EQ(error_of({{"BUILDKIT_ADD_HOSTS", "git:10.0.0.7"}}),
            "BUILDKIT_ADD_HOSTS: 'git:10.0.0.7' is not of the form host=address");
  EXPECT_EQ(error_of({{"BUILDKIT_ADD_HOSTS", "git=10.0.0.256,b=host-gateway"}}),
            "BUILDKIT_ADD_HOSTS: '10.0.0.256' is no IP address; use one such as '10.0.0.7'\n"
            "BUILDKIT_ADD_HOSTS: 'host-gateway' is no IP address; use one such as '10.0.0.7'");
  EXPECT_EQ(error_of({{"BUILDKIT_ADD_HOSTS", "a b=::1"}}), "BUILDKIT_ADD_HOSTS: 'a b' is no host name");
}

TEST_F(Network, MirrorsAreHostsInTheirOrder) {
  EXPECT_EQ(
      read({{"REGISTRY_MIRRORS", "b.example.com:5000, https://a.example.com/docker-hub/,"}}).registry_mirrors,
      (Strings{"b.example.com:5000", "a.example.com/docker-hub"}));
}

TEST_F(Network, MirrorsThatAreNoneSayWhatToWrite) {
  EXPECT_EQ(
      error_of({{"REGISTRY_MIRRORS", "http://mirror:5000"}}),
      "REGISTRY_MIRRORS: 'http://mirror:5000' is a URL; name 'mirror:5000', and allow plain HTTP for it with "
      "BUILDKIT_EXTRA_CONFIG: [registry.\"mirror:5000\"] http = true");
  EXPECT_EQ(error_of({{"REGISTRY_MIRRORS", "https://me:hunter2@mirror"}}),
            "REGISTRY_MIRRORS: '...@mirror' holds a login; put it into the config.json of DOCKER_CONFIG");
  EXPECT_EQ(error_of({{"REGISTRY_MIRRORS", "ftp://mirror"}}),
            "REGISTRY_MIRRORS: 'ftp://mirror' is no registry; name it as HOST[:PORT][/PATH]");
}

TEST_F(Network, ProxiesAreTheNamesOfWhatIsSet) {
  EXPECT_EQ(read({{"http_proxy", "http://me:hunter2@proxy"}, {"NO_PROXY", "*"}, {"HTTPS_PROXY", ""}}).proxies,
            (Strings{"http_proxy", "NO_PROXY"}));
}

TEST_F(Network, ExtraConfigIsTakenAsItStands) {
  EXPECT_EQ(read({{"BUILDKIT_EXTRA_CONFIG", "debug = true\n"}}).buildkit_config, "debug = true\n");
  EXPECT_FALSE(read({{"BUILDKIT_EXTRA_CONFIG", "\n"}}).buildkit_config);
}

TEST_F(Network, ARemoteEngineMayUseAnySchemeThatBuildctlKnows) {
  write("buildkitd.sock");
  for (const char* host :
       {"tcp://engine:1234", "tcp://[::1]:1234", "unix://buildkitd.sock", "docker-container://name",
        "podman-container://name", "nerdctl-container://name", "kube-pod://pod", "ssh://me@engine"}) {
    const auto remote = read({{"BUILDKIT_HOST", host}}).remote;
    ASSERT_TRUE(remote) << host;
    EXPECT_EQ(remote->host, host);
  }
}

TEST_F(Network, ARemoteEngineThatCannotBeReachedSaysWhy) {
  EXPECT_EQ(error_of({{"BUILDKIT_HOST", "engine:1234"}}),
            "BUILDKIT_HOST: 'engine:1234' has no scheme; write it as tcp://HOST:PORT, unix:///PATH, or with "
            "another "
            "scheme that buildctl knows");
  EXPECT_EQ(
      error_of({{"BUILDKIT_HOST", "tpc://engine:1234"}}),
      "BUILDKIT_HOST: the scheme 'tpc' is none of unix, tcp, docker-container, podman-container, kube-pod, "
      "nerdctl-container, ssh, npipe; did you mean 'tcp'?");
  EXPECT_EQ(error_of({{"BUILDKIT_HOST", "tcp://engine"}}),
            "BUILDKIT_HOST: 'tcp://engine' has no port; write it as tcp://HOST:PORT");
  EXPECT_EQ(error_of({{"BUILDKIT_HOST", "unix:///no/such.sock"}}),
            "BUILDKIT_HOST: '/no/such.sock' does not exist; is its input missing from the task?");
  EXPECT_EQ(error_of({{"BUILDKIT_HOST", "tcp://"}}), "BUILDKIT_HOST: nothing follows 'tcp://'");
}

TEST_F(Network, CertificatesGoWithARemoteEngine) {
  for (const char* name : {"ca.pem", "cert.pem", "key.pem"})
    write(name);
  const auto remote = read({{"BUILDKIT_HOST", "tcp://engine:1234"},
                            {"BUILDKIT_TLS_CACERT", "ca.pem"},
                            {"BUILDKIT_TLS_CERT", "cert.pem"},
                            {"BUILDKIT_TLS_KEY", "key.pem"}})
                          .remote;
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->ca_cert, "ca.pem");
  EXPECT_EQ(remote->cert, "cert.pem");
  EXPECT_EQ(remote->key, "key.pem");
}

TEST_F(Network, CertificatesMustBeWholeAndHaveAnEngine) {
  write("pem");
  EXPECT_EQ(error_of({{"BUILDKIT_HOST", "tcp://e:1"}, {"BUILDKIT_TLS_CERT", "pem"}}),
            "BUILDKIT_TLS_CERT needs BUILDKIT_TLS_KEY, its private key; set it too");
  EXPECT_EQ(error_of({{"BUILDKIT_HOST", "tcp://e:1"}, {"BUILDKIT_TLS_KEY", "pem"}}),
            "BUILDKIT_TLS_KEY needs BUILDKIT_TLS_CERT, its certificate; set it too");
  EXPECT_EQ(error_of({{"BUILDKIT_TLS_CACERT", "pem"}}),
            "BUILDKIT_TLS_CACERT needs BUILDKIT_HOST, the engine to reach; set it too");
  EXPECT_EQ(error_of({{"BUILDKIT_HOST", "tcp://e:1"}, {"BUILDKIT_TLS_CACERT", "absent"}}),
            "BUILDKIT_TLS_CACERT: 'absent' does not exist; is its input missing from the task?");
}

TEST_F(Network, SettingsOfAnEngineOfOurOwnDoNotReachARemoteOne) {
  EXPECT_EQ(
      warnings_of(
          {{"BUILDKIT_HOST", "tcp://e:1"}, {"REGISTRY_MIRRORS", "m"}, {"BUILDKIT_EXTRA_CONFIG", "a=1"}}),
      (Strings{
          "REGISTRY_MIRRORS has no effect: the engine of BUILDKIT_HOST has its own configuration",
          "BUILDKIT_EXTRA_CONFIG has no effect: the engine of BUILDKIT_HOST has its own configuration"}));
}

TEST_F(Network, TheEngineIsOneThatIsKnown) {
  EXPECT_EQ(read({}).engine, document::EngineChoice::automatic);
  EXPECT_EQ(read({{"ENGINE", "auto"}}).engine, document::EngineChoice::automatic);
  EXPECT_EQ(read({{"ENGINE", "buildkit"}}).engine, document::EngineChoice::buildkit);
  EXPECT_EQ(read({{"ENGINE", "native"}}).engine, document::EngineChoice::native);
  EXPECT_EQ(error_of({{"ENGINE", "buildkti"}}),
            "ENGINE: 'buildkti' is none of 'auto', 'buildkit', 'native'; did you mean 'buildkit'?");
  EXPECT_EQ(read({}).isolation, document::IsolationChoice::automatic);
  EXPECT_EQ(read({{"ISOLATION", "chroot"}}).isolation, document::IsolationChoice::chroot);
  EXPECT_EQ(error_of({{"ISOLATION", "chrot"}}),
            "ISOLATION: 'chrot' is none of 'auto', 'namespaces', 'userns', 'chroot', 'copies'; did you mean "
            "'chroot'?");
  EXPECT_EQ(error_of({{"ENGINE", "buildkit"}, {"ISOLATION", "userns"}}),
            "ISOLATION has no effect on BuildKit, which ENGINE asks for; leave one of them out");
}

TEST_F(Network, ProgressAndGraphSayHowABuildIsShown) {
  EXPECT_EQ(read({}).progress, document::ProgressChoice::automatic);
  EXPECT_EQ(read({{"BUILDKIT_PROGRESS", "rawjson"}}).progress, document::ProgressChoice::rawjson);
  EXPECT_EQ(error_of({{"BUILDKIT_PROGRESS", "plian"}}),
            "BUILDKIT_PROGRESS: 'plian' is none of 'auto', 'plain', 'tty', 'quiet', 'rawjson'; did you mean "
            "'plain'?");
  EXPECT_EQ(read({{"GRAPH", "image/build.html"}}).graph, "image/build.html");
  EXPECT_EQ(error_of({{"GRAPH", "build.svg"}}), "GRAPH: 'build.svg' ends neither in '.html' nor in '.dot'");
}

TEST_F(Network, EntitlementsAreTakenByTheirNamesAlone) {
  using enum document::Entitlement;
  EXPECT_EQ(read({{"ENTITLEMENTS", "network.host, security.insecure"}}).entitlements,
            (std::vector{network_host, security_insecure}));
  EXPECT_TRUE(read({}).entitlements.empty());
  EXPECT_EQ(error_of({{"ENTITLEMENTS", "network.all"}}),
            "ENTITLEMENTS: 'network.all' is none; there are network.host and security.insecure");
}

}  // namespace
