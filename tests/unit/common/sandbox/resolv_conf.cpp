// The resolv.conf of steps.
#include "common/sandbox/resolv_conf.hpp"

#include <gtest/gtest.h>

namespace sandbox {
namespace {

constexpr auto reachable = Nameservers::reachable;

const std::string public_nameservers =
    "nameserver 8.8.8.8\nnameserver 8.8.4.4\nnameserver 2001:4860:4860::8888\nnameserver "
    "2001:4860:4860::8844\n";

TEST(ResolvConf, KeepsNameserversThatAnyNetworkReaches) {
  EXPECT_EQ(rewrite_resolv_conf("nameserver 10.0.0.1\nnameserver fe80::1%eth0\n", reachable),
            "nameserver 10.0.0.1\nnameserver fe80::1%eth0\n");
}

TEST(ResolvConf, LeavesOutNameserversOfTheMachineItself) {
  EXPECT_EQ(rewrite_resolv_conf("nameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.0.1\n", reachable),
            "nameserver 10.0.0.1\n");
  EXPECT_EQ(rewrite_resolv_conf("nameserver 127.0.0.53\n", Nameservers::all), "nameserver 127.0.0.53\n");
}

TEST(ResolvConf, TakesPublicNameserversWhereNoneIsLeft) {
  EXPECT_EQ(rewrite_resolv_conf("", reachable), public_nameservers);
  EXPECT_EQ(rewrite_resolv_conf("nameserver 127.0.0.1\nsearch example.org\n", reachable),
            public_nameservers + "search example.org\n");
  EXPECT_EQ(rewrite_resolv_conf("", Nameservers::all), public_nameservers);
}

TEST(ResolvConf, KeepsTheLastSearchAndAllOptions) {
  EXPECT_EQ(rewrite_resolv_conf(
                "options ndots:2\ndomain a\nnameserver 1.1.1.1\nsearch b\tc\noptions rotate\n", reachable),
            "nameserver 1.1.1.1\nsearch b c\noptions ndots:2 rotate\n");
}

TEST(ResolvConf, DropsCommentsAndWhatIsNoAddress) {
  EXPECT_EQ(
      rewrite_resolv_conf("# comment\n; comment\nnameserver nonsense\nnameserver 1.1.1.1\nsortlist 1.2.3.4\n",
                          reachable),
      "nameserver 1.1.1.1\nsortlist 1.2.3.4\n");
}

}  // namespace
}  // namespace sandbox
