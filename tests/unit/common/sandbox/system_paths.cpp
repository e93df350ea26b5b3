// Names in /proc, /dev and /sys, as text.
#include "common/sandbox/system_paths.hpp"

#include <gtest/gtest.h>

namespace sandbox {
namespace {

using Kind = SystemPath::Kind;

class SystemPaths : public testing::Test {
protected:
  static std::optional<SystemPath> find(const std::string& path, sys::Links links = sys::Links::followed) {
    return find_system_path(path, {.thread = 12, .process = 10}, links);
  }
  static std::string path_of(const std::string& path, sys::Links links = sys::Links::followed) {
    const auto found = find(path, links);
    return found ? found->path : "of the root";
  }
};

TEST_F(SystemPaths, OfSelfAreThoseOfTheAsker) {
  EXPECT_EQ(path_of("/proc/self"), "/proc/10");
  EXPECT_EQ(path_of("/proc/self/status"), "/proc/10/status");
  EXPECT_EQ(path_of("/proc/thread-self/comm"), "/proc/10/task/12/comm");
  EXPECT_EQ(path_of("/proc/net/tcp"), "/proc/10/net/tcp");
  EXPECT_EQ(path_of("/proc/selfish"), "/proc/selfish");
}

TEST_F(SystemPaths, KeepLinksThatAreAskedForThemselves) {
  const auto self = find("/proc/self", sys::Links::kept);
  EXPECT_EQ(self->kind, Kind::link);
  EXPECT_EQ(self->path, "10");
  EXPECT_EQ(find("/proc/thread-self", sys::Links::kept)->path, "10/task/12");
  EXPECT_EQ(path_of("/proc/mounts", sys::Links::kept), "/proc/mounts");
  EXPECT_EQ(path_of("/dev/stdout", sys::Links::kept), "of the root");
}

TEST_F(SystemPaths, NameTheProcessWhoseTheyAre) {
  EXPECT_EQ(find("/proc/77/environ")->process, 77);
  EXPECT_EQ(find("/proc/10/environ")->process, 0);
  EXPECT_EQ(find("/proc/77/task/78/root/x")->process, 77);
  EXPECT_EQ(find("/proc/cpuinfo")->process, 0);
}

TEST_F(SystemPaths, BehindLinksOfTheKernelLieInTheRoot) {
  for (const char* link : {"root", "cwd", "fd/3", "task/12/root"}) {
    const auto found = find(std::string("/proc/self/") + link + "/etc/passwd");
    EXPECT_EQ(found->kind, Kind::behind_link);
    EXPECT_EQ(found->path, std::string("/proc/10/") + link);
    EXPECT_EQ(found->rest, "etc/passwd");
  }
  EXPECT_EQ(find("/dev/fd/3/etc/passwd")->kind, Kind::behind_link);
  EXPECT_EQ(find("/dev/stdin/x")->kind, Kind::behind_link);
}

TEST_F(SystemPaths, AreTextUpToLinksOfTheKernel) {
  EXPECT_EQ(clean_system_path("/etc//./x/../../proc/self/status"), "/proc/self/status");
  EXPECT_EQ(clean_system_path("/proc/self/fd/3/../../x"), "/proc/self/fd/3/../../x");
  EXPECT_EQ(clean_system_path("/proc/12/task/13/cwd/.."), "/proc/12/task/13/cwd/..");
  EXPECT_EQ(clean_system_path("/dev/stdin/./x"), "/dev/stdin/./x");
  EXPECT_EQ(clean_system_path("/proc/self/fd/../../self/comm/"), "/proc/self/comm");
  EXPECT_EQ(clean_system_path("/proc/fd/3/../x"), "/proc/fd/x");
  EXPECT_EQ(clean_system_path("/../.."), "/");
  EXPECT_EQ(find("/proc/self/fd/3/../x")->rest, "../x");
}

TEST_F(SystemPaths, InDevAreTheDevicesOfEveryStepAlone) {
  EXPECT_EQ(path_of("/dev/null"), "/dev/null");
  EXPECT_EQ(path_of("/dev/pts/3"), "/dev/pts/3");
  EXPECT_EQ(path_of("/dev/fd/3"), "/proc/10/fd/3");
  EXPECT_EQ(path_of("/dev/stderr"), "/proc/10/fd/2");
  EXPECT_EQ(find("/dev/tty")->kind, Kind::terminal);
  for (const char* own :
       {"/dev", "/dev/vda", "/dev/fuse", "/dev/shm/x", "/dev/pts", "/dev/null/x", "/dev/console"})
    EXPECT_EQ(path_of(own), "of the root") << own;
}

TEST_F(SystemPaths, HideAndProtectWhatContainersDo) {
  EXPECT_EQ(path_of("/proc/kcore"), "/dev/null");
  EXPECT_FALSE(find("/proc/cpuinfo")->read_only);
  EXPECT_TRUE(find("/proc/sys/kernel/core_pattern")->read_only);
  EXPECT_TRUE(find("/proc/sysrq-trigger")->read_only);
  EXPECT_TRUE(find("/sys/kernel")->read_only);
  EXPECT_NE(path_of("/sys/firmware/efi"), "/sys/firmware/efi");
  EXPECT_NE(path_of("/proc/scsi/scsi"), "/proc/scsi/scsi");
}

TEST_F(SystemPaths, AreToldFromMostOthersAtAGlance) {
  for (const char* path :
       {"/proc", "//proc/x", "/dev/null", "/sys/", "/usr/../proc", "/./dev", "proc/self", ".", "../x"})
    EXPECT_TRUE(may_be_system_path(path)) << path;
  for (const char* path : {"/", "/usr/lib", "/process", "/devices", "usr/dev", "/usr/proc"})
    EXPECT_FALSE(may_be_system_path(path)) << path;
}

}  // namespace
}  // namespace sandbox
