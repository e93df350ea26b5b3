// What is mounted and what is missing, told from the texts of /proc.
#include "common/buildkit/cgroups.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using buildkit::CgroupMount;

constexpr auto sysfs = "97 88 0:21 / /sys rw,nosuid,nodev,noexec,relatime - sysfs sysfs rw\n";

TEST(HasCgroups, SeesVersion2) {
  EXPECT_TRUE(
      buildkit::has_cgroups(std::string(sysfs) + "98 97 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"));
}

TEST(HasCgroups, SeesVersion1BelowItsTmpfs) {
  EXPECT_TRUE(buildkit::has_cgroups(
      std::string(sysfs) +
      "137 97 0:48 / /sys/fs/cgroup rw - tmpfs cgroup rw\n"
      "138 137 0:36 / /sys/fs/cgroup/pids ro shared:1 master:2 - cgroup cgroup rw,pids\n"));
}

TEST(HasCgroups, IsNotFooledByOtherMounts) {
  EXPECT_FALSE(buildkit::has_cgroups(std::string(sysfs) +
                                     "137 97 0:48 / /sys/fs/cgroup rw - tmpfs cgroup2 rw\n"
                                     "138 97 0:38 / /mnt/elsewhere rw - cgroup2 cgroup2 rw\n"));
}

TEST(PlanCgroups, MountsVersion2WhereTheHostHasNoOther) {
  EXPECT_EQ(
      buildkit::plan_cgroups("#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t9\t1\n", "0::/task\n"),
      (std::vector<CgroupMount>{{.directory = "", .type = "cgroup2", .options = ""}}));
}

TEST(PlanCgroups, MountsEachHierarchyOfVersion1UnderItsNames) {
  const auto plan = buildkit::plan_cgroups(
      "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
      "cpu\t2\t1\t1\ncpuacct\t2\t1\t1\npids\t3\t1\t1\nmisc\t0\t1\t1\nrdma\t0\t1\t0\n",
      "4:name=systemd:/\n3:pids:/task\n2:cpu,cpuacct:/task\n0::/\n");
  const std::vector<CgroupMount> expected = {
      {.directory = "systemd", .type = "cgroup", .options = "none,name=systemd"},
      {.directory = "pids", .type = "cgroup", .options = "pids"},
      {.directory = "cpu,cpuacct", .type = "cgroup", .options = "cpu,cpuacct", .aliases = {"cpu", "cpuacct"}},
      {.directory = "misc", .type = "cgroup", .options = "misc"},
  };
  EXPECT_EQ(plan, expected);
}

}  // namespace
