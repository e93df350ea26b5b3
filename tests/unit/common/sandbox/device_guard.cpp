// In device cgroups of version 1, where this machine has them.
#include "common/sandbox/device_guard.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/sys/temp_dir.hpp"
#include "tests/support/in_child.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

// What devices_are_guarded() says to a process that is allowed these.
bool guarded_by(const std::vector<std::string>& rules) {
  const fs::path cgroup = "/sys/fs/cgroup/devices/unit-sandbox-" + std::to_string(::getpid());
  const sys::TempDir directory(sys::scratch_directory());
  fs::create_directory(cgroup);
  const auto write = [&](const char* file, const std::string& text) {
    std::ofstream(cgroup / file) << text << std::flush;
  };
  write("devices.deny", "a");
  for (const auto& rule : rules)
    write("devices.allow", rule);
  const int guarded = test::in_child([&] {
    write("cgroup.procs", "0");
    return devices_are_guarded(directory.path()) ? 1 : 0;
  });
  while (::rmdir(cgroup.c_str()) != 0 && errno == EBUSY) {}
  EXPECT_LE(guarded, 1);
  return guarded == 1;
}

TEST(DeviceGuard, IsOneThatAllowsNothingButTheUsualDevices) {
  if (::geteuid() != 0) GTEST_SKIP() << "cgroups need root";
  if (!fs::exists("/sys/fs/cgroup/devices/devices.list")) return;
  std::vector<std::string> rules = {"c 1:3 rwm",   "c 1:5 rwm", "c 5:2 rwm",
                                    "c 136:* rwm", "c *:* m",   "b *:* m"};
  EXPECT_TRUE(guarded_by(rules));
  rules.push_back("b 7:* r");
  EXPECT_FALSE(guarded_by(rules));
  // Nobody may make nodes of these, which may be there already.
  EXPECT_FALSE(guarded_by({"c 1:3 rwm", "b 7:* rw"}));
}

}  // namespace
}  // namespace sandbox
