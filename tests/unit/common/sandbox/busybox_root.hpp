// What the tests of each isolation share: a root made of the machine's static busybox, and steps in it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/sandbox/sandbox.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace test {

class BusyboxRoot : public testing::Test {
protected:
  // Leaves `sandbox_` to the isolation.
  void SetUp() override {
    namespace fs = std::filesystem;
    if (::geteuid() != 0) GTEST_SKIP() << "steps need root";
    if (!fs::exists("/usr/bin/busybox") && !fs::exists("/bin/busybox"))
      GTEST_SKIP() << "busybox-static is not installed";
    fs::permissions(base_.path(), fs::perms{0755});
    fs::create_directory(root());
    for (const char* directory : {"bin", "etc", "tmp", "dev", "proc", "sys", "root"})
      fs::create_directory(root() / directory);
    fs::copy_file(fs::exists("/bin/busybox") ? "/bin/busybox" : "/usr/bin/busybox", root() / "bin/busybox");
    for (const char* applet :
         {"sh",    "id",       "cat",    "ls",    "hostname", "grep",    "echo",   "touch",
          "mount", "sleep",    "ps",     "stat",  "mkdir",    "pwd",     "env",    "kill",
          "head",  "od",       "true",   "wc",    "nc",       "rm",      "mkfifo", "tr",
          "test",  "readlink", "setsid", "mknod", "chmod",    "unshare", "mv",     "tail"})
      fs::create_symlink("busybox", root() / "bin" / applet);
    sys::write_file(root() / "etc/passwd",
                    "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001::/home/user:/bin/sh\n");
    sys::write_file(root() / "etc/group", "root:x:0:\nstaff:x:50:user\nusers:x:1001:\n");
    spec_.root = root();
    spec_.env = {"PATH=/bin"};
  }

  // Before the directories that it works in.
  void TearDown() override { sandbox_.reset(); }

  std::filesystem::path root() const { return base_.path() / "root"; }

  sys::ExitStatus run(const std::string& script) {
    printed_.clear();
    spec_.args = {"/bin/sh", "-c", script};
    return sandbox_->run(spec_, [this](std::string_view text) { printed_ += text; });
  }

  std::string output_of(const std::string& script) {
    const auto status = run(script);
    EXPECT_TRUE(status.success()) << status.describe() << ": " << printed_;
    return printed_;
  }

  sys::TempDir base_{sys::scratch_directory()};
  sandbox::Spec spec_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::string printed_;
};

}  // namespace test
