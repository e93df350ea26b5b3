// Steps run for real in namespaces, on a root made of the machine's static busybox.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "common/sandbox/sandbox.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/lose_right.hpp"
#include "tests/unit/common/sandbox/busybox_root.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

class Namespaces : public test::BusyboxRoot {
protected:
  void SetUp() override {
    BusyboxRoot::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(sys::enter_private_mounts());
    sandbox_ = make_namespaces(mounts_.path());
  }

  sys::TempDir mounts_{sys::scratch_directory()};
};

TEST_F(Namespaces, RunAProcessAsProcessOneOfItsRoot) {
  EXPECT_EQ(output_of("echo $$; ls /bin/busybox"), "1\n/bin/busybox\n");
}

TEST_F(Namespaces, PassOnTheExitCodeAndTheSignal) {
  EXPECT_EQ(run("exit 42").code, 42);
  EXPECT_EQ(run("echo to stdout; echo to stderr >&2; false").code, 1);
  EXPECT_EQ(printed_, "to stdout\nto stderr\n");
}

TEST_F(Namespaces, GiveTheUserItsGroupsAndHome) {
  spec_.user = "user";
  EXPECT_EQ(output_of("id -u; id -g; id -G; echo $HOME"), "1000\n1001\n1001 50\n/home/user\n");
  spec_.user = "7:8";
  EXPECT_EQ(output_of("id -u; id -G; echo $HOME"), "7\n8\n/\n");
}

TEST_F(Namespaces, FailForAUserThatIsNotThere) {
  spec_.user = "nosuch";
  try {
    run("true");
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_STREQ(error.what(), "unable to find user nosuch: no matching entries in passwd file");
  }
}

TEST_F(Namespaces, LimitCapabilitiesToTheFourteenDefaults) {
  EXPECT_EQ(output_of("grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status"),
            "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
            "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n");
  spec_.user = "1000:1000";
  EXPECT_EQ(output_of("grep CapEff /proc/self/status"), "CapEff:\t0000000000000000\n");
}

TEST_F(Namespaces, FilterSystemCallsWithoutForbiddingPrivilegeGain) {
  EXPECT_EQ(output_of("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status"), "NoNewPrivs:\t0\nSeccomp:\t2\n");
  EXPECT_NE(run("mount -t tmpfs none /tmp").code, 0);
  EXPECT_NE(run("unshare -m true").code, 0);
}

TEST_F(Namespaces, ShowHostsAndHostname) {
  spec_.hosts = {"10.1.2.3\tmirror"};
  EXPECT_EQ(
      output_of("hostname; cat /etc/hosts"),
      "buildkitsandbox\n127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n"
      "10.1.2.3\tmirror\n");
}

TEST_F(Namespaces, LeaveNoMountPointBehind) {
  const sys::TempDir source(sys::scratch_directory());
  sys::write_file(source.path() / "file", "content");
  spec_.binds = {{source.path(), "/deep/er/bound", true}};
  spec_.files = {{"/run/secrets/token", "secret", 0400, 0, 0}};
  spec_.tmpfs = {{"/scratch", {}}};
  EXPECT_EQ(
      output_of(
          "cat /deep/er/bound/file /run/secrets/token; touch /scratch/x; touch /deep/er/bound/x || echo ro"),
      "contentsecrettouch: /deep/er/bound/x: Read-only file system\nro\n");
  for (const char* path : {"deep", "run", "scratch", "etc/resolv.conf", "etc/hosts"}) {
    EXPECT_FALSE(fs::exists(root() / path)) << path;
  }
}

TEST_F(Namespaces, KeepWhatTheStepWroteBesideItsMountPoints) {
  spec_.files = {{"/run/secrets/token", "secret", 0400, 0, 0}};
  output_of("echo x > /run/kept");
  EXPECT_EQ(sys::read_file(root() / "run/kept"), "x\n");
  EXPECT_FALSE(fs::exists(root() / "run/secrets"));
}

TEST_F(Namespaces, MakeAMissingWorkingDirectoryForTheUser) {
  spec_.user = "7:8";
  spec_.working_dir = "/srv/work";
  EXPECT_EQ(output_of("pwd; stat -c '%a %u %g' /srv/work"), "/srv/work\n755 7 8\n");
  EXPECT_TRUE(fs::exists(root() / "srv/work"));
}

// Our own descriptors show in /proc/self/fd until exec, and what they lead to is no part of the root.
TEST_F(Namespaces, LetNoPathLeadThroughADescriptorOfOurs) {
  const sys::TempDir outside(sys::scratch_directory());
  const sys::UniqueFd fd(::open(outside.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string door = "/proc/self/fd/" + std::to_string(fd.get());
  spec_.working_dir = door;
  EXPECT_THROW(run("pwd"), util::Error) << printed_;
  spec_.working_dir = "/";
  spec_.files = {{door + "/planted", "content", 0400, 0, 0}};
  EXPECT_THROW(run("true"), util::Error);
  EXPECT_TRUE(fs::is_empty(outside.path()));
}

TEST_F(Namespaces, HaveOnlyTheLoopbackDeviceWithoutNetwork) {
  spec_.network = Network::none;
  EXPECT_EQ(output_of("ls /sys/class/net; cat /sys/class/net/lo/flags"), "lo\n0x9\n");
}

TEST_F(Namespaces, SayWhenAProgramIsNotThere) {
  spec_.args = {"nosuch"};
  try {
    sandbox_->run(spec_, [](std::string_view) {});
    FAIL();
  } catch (const StartError& error) {
    EXPECT_STREQ(error.what(), "exec: \"nosuch\": executable file not found in $PATH");
  }
}

TEST_F(Namespaces, SayWhenArgumentsAreTooLong) {
  spec_.args = {"/bin/true", std::string(1 << 20, 'x')};
  EXPECT_THROW(sandbox_->run(spec_, [](std::string_view) {}), StartError);
}

TEST_F(Namespaces, TakeTheFirstProgramOfThePathThatCanBeExecuted) {
  sys::write_file(root() / "etc/id", "no program");
  spec_.env = {"PATH=/nosuch:/etc/passwd:/etc:/bin"};
  spec_.args = {"id", "-u"};
  std::string printed;
  EXPECT_TRUE(sandbox_->run(spec_, [&](std::string_view text) { printed += text; }).success());
  EXPECT_EQ(printed, "0\n");
}

TEST_F(Namespaces, MountWhereSymlinksAndParentsInTheTargetLead) {
  fs::create_directories(root() / "a/b");
  fs::create_symlink("/a/b/../b/.", root() / "link");
  fs::create_symlink("../../../..", root() / "a/b/up");
  spec_.files = {{"/link//up/./srv/../srv/file", "content", 0400, 0, 0}, {"/link/x", "other", 0400, 0, 0}};
  EXPECT_EQ(output_of("cat /srv/file /a/b/x"), "contentother");
}

TEST_F(Namespaces, MountWhatADescriptorStandsForWhateverItsNameLeadsTo) {
  const sys::TempDir source(sys::scratch_directory());
  fs::create_directories(source.path() / "d/inner");
  sys::write_file(source.path() / "d/inner/file", "of the tree");
  fs::create_directories(source.path() / "elsewhere/inner");
  auto tree = sys::RootedDir::open(source.path());
  const auto directory = tree.open_place("d/inner");
  const auto file = tree.open_place("d/inner/file");
  fs::rename(source.path() / "d", source.path() / "moved");
  fs::create_symlink(source.path() / "elsewhere", source.path() / "d");
  spec_.binds = {{.target = "/directory", .read_only = true, .place = directory.get()},
                 {.target = "/file", .read_only = true, .place = file.get()}};
  EXPECT_EQ(output_of("cat /directory/file /file; touch /directory/x 2>/dev/null || echo , read-only"),
            "of the treeof the tree, read-only\n");
}

TEST_F(Namespaces, MountInsideOfOtherMountsByTheirOwnSymlinks) {
  const sys::TempDir source(sys::scratch_directory());
  fs::create_directory(source.path() / "tmp");
  fs::create_symlink("/tmp", source.path() / "absolute");
  fs::create_symlink("../..", source.path() / "up");
  spec_.binds = {{source.path(), "/bound", false}};
  spec_.files = {{"/bound/absolute/one", "1", 0400, 0, 0}, {"/bound/up/etc/two", "2", 0400, 0, 0}};
  EXPECT_EQ(output_of("cat /tmp/one /etc/two; ls /bound/tmp"), "12");
}

TEST_F(Namespaces, MountNothingInProcNorThroughALinkOfIt) {
  fs::create_symlink("/proc/self/cwd", root() / "cwd");
  fs::create_symlink("proc", root() / "other");
  for (const char* target : {"/proc", "/proc/sys", "/proc/keys", "/proc/self/environ", "/proc/new", "/cwd/x",
                             "/proc/1/root/x", "/other/sys", "/tmp/../proc/sys", "/proc/uptime/../keys"}) {
    spec_.tmpfs.clear();
    spec_.files.clear();
    if (fs::path(target).filename() == "sys" || fs::path(target).filename() == "proc") {
      spec_.tmpfs = {{target, {}}};
    } else {
      spec_.files = {{target, "content", 0400, 0, 0}};
    }
    EXPECT_THROW(run("true"), StartError) << target;
  }
  spec_.tmpfs.clear();
  spec_.files = {{"/proc/uptime", "1 2\n", 0444, 0, 0}};
  EXPECT_EQ(output_of("cat /proc/uptime"), "1 2\n");
}

TEST_F(Namespaces, HideNothingByWhatIsNotTheNullDevice) {
  const sys::TempDir other(sys::scratch_directory());
  sys::write_file(other.path() / "null", "content");
  ASSERT_EQ(::mount((other.path() / "null").c_str(), "/dev/null", nullptr, MS_BIND, nullptr), 0);
  EXPECT_EQ(test::error_of([&] { run("cat /proc/keys"); }),
            "'/dev/null' of this machine is not the null device: No such device");
  EXPECT_EQ(::umount2("/dev/null", MNT_DETACH), 0);
}

TEST_F(Namespaces, WantRealDirectoriesForTheSystemsFilesystems) {
  for (const char* name : {"proc", "dev", "sys"}) {
    fs::remove(root() / name);
    fs::create_symlink("tmp", root() / name);
    EXPECT_THROW(run("true"), StartError) << name;
    fs::remove(root() / name);
    EXPECT_TRUE(run("true").success()) << name;  // it is made
  }
}

TEST_F(Namespaces, MakeWhatASymlinkToAMountPointLeadsTo) {
  fs::create_symlink("second", root() / "first");
  fs::create_symlink("../made/deep", root() / "second");
  spec_.files = {{"/first/file", "content", 0400, 0, 0}};
  EXPECT_EQ(output_of("cat /made/deep/file"), "content");
  EXPECT_FALSE(fs::exists(root() / "made"));
  fs::remove(root() / "second");
  fs::create_symlink("first", root() / "second");
  EXPECT_THROW(run("true"), StartError);
}

TEST_F(Namespaces, MountNothingOnTheRoot) {
  fs::create_symlink("/", root() / "link");
  for (const char* target : {"/.", "/..", "/tmp/..", "/link"}) {
    spec_.tmpfs = {{target, {}}};
    EXPECT_THROW(run("true"), StartError) << target;
  }
}

TEST_F(Namespaces, MountNoFileOnADirectory) {
  spec_.files = {{"/tmp", "content", 0400, 0, 0}};
  EXPECT_THROW(run("true"), StartError);
}

TEST_F(Namespaces, SetNoVariableWithoutAName) {
  spec_.env.emplace_back("=secret");
  EXPECT_THROW(run("true"), StartError);
}

TEST_F(Namespaces, StartNothingThatANulByteCutsShort) {
  const std::string cut("/tmp\0/x", 7);
  const auto refuses = [&](const std::function<void(Spec&)>& change) {
    Spec spec = spec_;
    spec.args = {"/bin/touch", "/tmp/started"};
    change(spec);
    EXPECT_THROW(sandbox_->run(spec, [](std::string_view) {}), StartError);
    EXPECT_FALSE(fs::exists(root() / "tmp/started"));
  };
  refuses([&](Spec& spec) { spec.args.push_back(cut); });
  refuses([&](Spec& spec) { spec.env.push_back("A=" + cut); });
  refuses([&](Spec& spec) { spec.working_dir = cut; });
  refuses([&](Spec& spec) { spec.user = std::string("root\0x", 6); });
  refuses([&](Spec& spec) { spec.hostname = cut; });
  refuses([&](Spec& spec) { spec.hosts = {cut}; });
  refuses([&](Spec& spec) { spec.binds = {{"/tmp", cut, false}}; });
  refuses([&](Spec& spec) { spec.tmpfs = {{cut, {}}}; });
  refuses([&](Spec& spec) { spec.files = {{.target = cut, .content = "x"}}; });
}

TEST_F(Namespaces, KillWhatAStepLeavesRunning) {
  output_of("(sleep 1000 >/dev/null 2>&1 &) ; echo done");
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code error;
    const auto exe = fs::read_symlink(entry.path() / "exe", error);
    EXPECT_TRUE(error || exe != root() / "bin/busybox") << entry.path();
  }
}

// A device that may be opened here.
bool make_disk(const fs::path& node) {
  return ::mknod(node.c_str(), S_IFBLK | 0666, ::makedev(7, 0)) == 0 &&
         sys::UniqueFd(::open(node.c_str(), O_RDONLY | O_CLOEXEC));
}

// As under a device cgroup: nodes may be made, and come with layers, but only the usual ones work.
TEST_F(Namespaces, OpenNoDeviceThatAStepOrALayerBrings) {
  const sys::TempDir source(sys::scratch_directory());
  for (const auto& place : {root(), source.path()}) {
    if (!make_disk(place / "disk")) GTEST_SKIP() << "no loop device can be opened here";
  }
  spec_.binds = {{source.path(), "/bound", false}};
  spec_.tmpfs = {{"/scratch", {}}};
  for (const std::string node :
       {"/disk", "/bound/disk", "/tmp/made", "/dev/made", "/bound/made", "/scratch/made"}) {
    EXPECT_TRUE(run("test -b " + node + " || mknod " + node + " b 7 0").success()) << printed_;
    EXPECT_FALSE(run("test -b " + node + " || mknod " + node + " b 7 0; true <" + node).success()) << node;
  }
  EXPECT_EQ(output_of("head -c 2 /dev/zero | od -An -tx1; echo x >/dev/null"), " 00 00\n");
}

// Those of a more privileged build, in its trees or in the cache of a step.
TEST_F(Namespaces, OpenNoDeviceThatOthersHaveLeftWhereNobodyMayMakeOne) {
  const sys::TempDir source(sys::scratch_directory());
  for (const auto& place : {root(), source.path()}) {
    if (!make_disk(place / "disk")) GTEST_SKIP() << "no loop device can be opened here";
  }
  spec_.binds = {{source.path(), "/bound", false}};
  std::thread([&] {  // rights are those of a thread
    test::lose_right(CAP_MKNOD);
    for (const std::string node : {"/disk", "/bound/disk"}) {
      EXPECT_TRUE(run("test -b " + node).success()) << printed_;
      EXPECT_FALSE(run("true <" + node).success()) << node;
    }
    EXPECT_EQ(output_of("head -c 2 /dev/zero | od -An -tx1; echo x >/dev/null"), " 00 00\n");
  })
      .join();
}

TEST_F(Namespaces, ShowTheUsualDevices) {
  EXPECT_EQ(
      output_of("echo gone > /dev/null; ls /dev; stat -c %t:%T /dev/null"),
      "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n1:3\n");
}

}  // namespace
}  // namespace sandbox
