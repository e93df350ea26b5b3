// Steps run for real by chroot(2) and a supervisor, on a root made of the machine's static busybox.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

#include "common/sandbox/sandbox.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/thread.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/unit/common/sandbox/busybox_root.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

class Chroot : public test::BusyboxRoot {
protected:
  void SetUp() override {
    BusyboxRoot::SetUp();
    if (IsSkipped()) return;
    fs::create_directory(base_.path() / "work");
    sandbox_ = make_chroot(base_.path() / "work");
  }
};

TEST_F(Chroot, PassesOnTheExitCodeAndTheSignal) {
  EXPECT_EQ(run("exit 42").code, 42);
  EXPECT_EQ(run("kill -9 $$").signal, SIGKILL);
  EXPECT_EQ(run("kill -15 $$").signal, SIGTERM);
  EXPECT_EQ(run("echo to stdout; echo to stderr >&2; cat; false").code, 1);
  EXPECT_EQ(printed_, "to stdout\nto stderr\n");
}

TEST_F(Chroot, ShowsProcOfTheStep) {
  EXPECT_EQ(output_of("cat /proc/self/comm; readlink /proc/self/exe; cd /proc/self && cat comm; pwd"),
            "cat\n/bin/busybox\ncat\n/proc/self\n");
  EXPECT_EQ(output_of("readlink /proc/self/cwd; cd /tmp; readlink /proc/self/cwd"), "/\n/tmp\n");
  EXPECT_EQ(
      output_of("head -1 /proc/self/mounts | grep -c ' / '; grep -c processor /proc/cpuinfo >/dev/null; "
                "grep -c ' /proc ' /proc/mounts >/dev/null && echo proc"),
      "1\nproc\n");
  EXPECT_EQ(output_of("cat /proc/self/root/etc/group | head -1; ls /proc/self/fd | wc -l"), "root:x:0:\n4\n");
}

TEST_F(Chroot, ShowsDevicesAndNoneBeside) {
  EXPECT_EQ(output_of("echo x >/dev/null; head -c 2 /dev/zero | od -An -c; test -c /dev/random; "
                      "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/fd/0; cat </dev/stdin; "
                      "stat -c %t:%T /dev/null; echo x 2>/dev/null >/dev/full || echo full"),
            "  \\0  \\0\nout\nerr\n1:3\nfull\n");
  EXPECT_EQ(run("cat /dev/tty").code, 1);
  EXPECT_EQ(printed_, "cat: can't open '/dev/tty': No such device or address\n");
  EXPECT_EQ(output_of("echo shared >/dev/shm/x; cat /dev/shm/x"), "shared\n");
  EXPECT_TRUE(fs::is_empty(root() / "dev"));
}

TEST_F(Chroot, FollowsLinksOfTheRootIntoProc) {
  fs::create_symlink("../proc/self/mounts", root() / "etc/mtab");
  fs::create_symlink("/dev/stdout", root() / "tmp/log");
  EXPECT_EQ(output_of("head -1 /etc/mtab | grep -c ' / '; echo logged >/tmp/log"), "1\nlogged\n");
}

// Every call that takes a path, with paths through links of the kernel's: as where /proc is mounted.
TEST_F(Chroot, ChangesWhatLinksOfTheKernelLeadTo) {
  fs::copy_file(CALLS_BY_NAME, root() / "bin/calls");
  const std::string script = "rm -rf /tmp/calls; mkdir -p /tmp/calls; calls /tmp/calls";
  for (const char* user : {"", "user"}) {
    spec_.user = user;
    fs::permissions(root() / "tmp", fs::perms{0777});
    const auto here = output_of(script);
    ASSERT_TRUE(sys::enter_private_mounts());
    const sys::TempDir mounts(sys::scratch_directory());
    const auto by_chroot = std::exchange(sandbox_, make_namespaces(mounts.path()));
    const auto there = output_of(script);
    EXPECT_EQ(here, there) << user;
    EXPECT_GT(here.size(), 10'000U);
    sandbox_.reset();
    sandbox_ = make_chroot(base_.path() / "work");
  }
}

TEST_F(Chroot, WritesNothingToSys) {
  EXPECT_NE(run("echo 1 >/sys/kernel/mm/transparent_hugepage/enabled").code, 0);
  EXPECT_NE(printed_.find("Read-only file system"), std::string::npos);
  EXPECT_NE(run("echo core >/proc/sys/kernel/core_pattern").code, 0);
  EXPECT_NE(printed_.find("Read-only file system"), std::string::npos);
}

TEST_F(Chroot, FollowsLinksFromWhereverTheyAre) {
  EXPECT_EQ(
      output_of(
          "mkdir /tmp/in && cd /tmp/in && ln -s /dev/null null && echo x >null && test -c null && "
          "ln -s /dev/stdout out && echo printed >out && ln -s ../../proc/self here && cat here/comm && "
          "ln -s /proc/self/fd fds && cat /tmp/in/fds/0 && ln -s /proc p && cat p/self/comm && "
          "test -h p/self/cwd && test ! -e p/none && readlink /dev/ptmx"),
      "printed\ncat\ncat\npts/ptmx\n");
}

TEST_F(Chroot, TellsTheHostnameOfTheStep) {
  spec_.hostname = "named";
  EXPECT_EQ(output_of("hostname; cat /proc/sys/kernel/hostname; grep named /etc/hosts | wc -l"),
            "named\nnamed\n1\n");
  EXPECT_EQ(output_of("grep -c 127.0.0.1 /etc/hosts"), "1\n");
}

TEST_F(Chroot, HasMountsInProcAndSysWhereTheyMayBe) {
  const auto source = base_.path() / "source";
  fs::create_directory(source);
  sys::write_file(source / "file", "mounted\n");
  spec_.binds = {{.source = source / "file", .target = "/proc/uptime"},
                 {.source = source / "file", .target = "/proc/sys/kernel/ns_last_pid"},
                 {.source = source, .target = "/sys/kernel"}};
  EXPECT_EQ(output_of("cat /proc/uptime /proc/sys/kernel/ns_last_pid /sys/kernel/file; ls /sys/kernel; "
                      "cd /sys/kernel && cat file && echo new >more && cat ../kernel/more; "
                      "test -d /sys/class && ls /proc | grep uptime; cat /proc/sys/kernel/ostype"),
            "mounted\nmounted\nmounted\nfile\nmounted\nnew\nuptime\nLinux\n");
  EXPECT_TRUE(fs::is_empty(root() / "sys"));
  const auto error_at = [&](const std::string& target) {
    spec_.binds = {{.source = source / "file", .target = target}};
    return test::error_of([&] { run("true"); });
  };
  EXPECT_EQ(error_at("/proc/keys"),
            "cannot mount '/proc/keys' for the step: it cannot be mounted because it is inside /proc");
  EXPECT_EQ(error_at("/sys/none"), "cannot mount '/sys/none' for the step: Read-only file system");
  EXPECT_EQ(error_at("/sys/kernel"),
            "cannot mount '/sys/kernel' for the step: a file needs a file to be "
            "mounted on, and directories on the way");
}

TEST_F(Chroot, ExecutesByTheLinkToThePrograms) {
  // What busybox says when it is called by a name of none of its programs.
  EXPECT_EQ(run("/proc/self/exe").code, 127);
  EXPECT_EQ(printed_, "exe: applet not found\n");
}

// Names of other processes say nothing, and no signal reaches them.
TEST_F(Chroot, KnowsTheProcessesOfTheStepAlone) {
  const auto own = std::to_string(::getpid());
  EXPECT_NE(run("cat /proc/" + own + "/environ").code, 0);
  EXPECT_NE(printed_.find("No such file"), std::string::npos);
  EXPECT_NE(run("kill -9 " + own).code, 0);
  EXPECT_EQ(
      output_of("exec 2>/dev/null; sleep 100 & kill -9 -1; wait $!; echo $?; ls /proc | grep -c '^[0-9]*$'"),
      "137\n3\n");
}

TEST_F(Chroot, EndsWhatIsLeftBehind) {
  EXPECT_EQ(output_of("setsid sh -c 'echo $$ >/tmp/pid; exec sleep 1000' & while ! test -s /tmp/pid; do :; "
                      "done; cat /tmp/pid >/dev/null"),
            "");
  const auto pid = std::stoi(sys::read_file(root() / "tmp/pid"));
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(Chroot, EndsWhenItIsCancelled) {
  sys::Canceller canceller;
  spec_.cancel = canceller.cancellation();
  ASSERT_EQ(::mkfifo((root() / "tmp/started").c_str(), 0600), 0);
  sys::Thread thread([&] {
    const sys::UniqueFd fifo(::open((root() / "tmp/started").c_str(), O_RDONLY | O_CLOEXEC));
    canceller.cancel();
  });
  EXPECT_EQ(
      test::error_of([&] { run("echo $$ >/tmp/pid; echo started >/tmp/started; sleep 1000 & sleep 1000"); }),
      "cancelled");
  thread.join();
  EXPECT_NE(::kill(std::stoi(sys::read_file(root() / "tmp/pid")), 0), 0);
  EXPECT_TRUE(fs::is_empty(root() / "dev"));
  EXPECT_FALSE(fs::exists(root() / "etc/hosts"));
}

TEST_F(Chroot, GivesTheUserItsGroupsAndHome) {
  spec_.user = "user";
  EXPECT_EQ(output_of("id -u; id -g; id -G; echo $HOME; cat /proc/self/comm; echo x >/dev/null; umask"),
            "1000\n1001\n1001 50\n/home/user\ncat\n0022\n");
}

TEST_F(Chroot, HoldsTheDefaultCapabilitiesAndTheFilter) {
  EXPECT_EQ(output_of("grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status"),
            "CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n");
  EXPECT_NE(run("mount -t tmpfs none /tmp").code, 0);
}

// Programs whose files give rights have them as where the kernel gives them.
TEST_F(Chroot, LendsProgramsTheRightsOfTheirFiles) {
  const auto make = [&](const char* name, uid_t uid, gid_t gid, mode_t mode) {
    const auto path = root() / "bin" / name;
    fs::copy_file(AS_OWNER, path);
    ASSERT_EQ(::chown(path.c_str(), uid, gid), 0);
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  };
  make("asroot", 0, 0, 04755);
  make("asother", 33, 44, 06755);
  make("asgroup", 0, 44, 02755);
  make("closed", 0, 0, 04700);
  make("unreadable", 0, 0, 04711);
  make("able", 0, 0, 0755);
  const vfs_cap_data able{.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                          .data = {{.permitted = 1 << CAP_NET_RAW | 1 << CAP_CHOWN, .inheritable = 0}, {}}};
  ASSERT_EQ(::setxattr((root() / "bin/able").c_str(), "security.capability", &able, sizeof able, 0), 0);
  sys::write_file(root() / "bin/script", "#!/bin/busybox id\n");
  ASSERT_EQ(::chmod((root() / "bin/script").c_str(), 04755), 0);
  fs::permissions(root() / "tmp", fs::perms{0777});
  const std::vector<std::string> scripts = {
      "asroot; asroot id",
      "asother; asother id",
      "asgroup; asgroup id",
      "asgroup asroot able; able asroot sh -c 'echo $0 $1' a b",
      "unreadable id -u; closed || echo $?; script || echo $?",
      "cd /tmp; umask 027; export WORD=word; ulimit -n 200; trap '' HUP; asroot pwd; ../bin/asroot",
      "exec 3>/tmp/file; asroot sh -c 'echo text >&3'; cat /tmp/file; stat -c %a /tmp/file; rm /tmp/file",
      "echo in | asroot cat; asroot sh -c 'exit 7'; echo $?; asroot nothing; echo $?",
      "(asroot sh -c 'kill -9 $$'); echo $?; asroot sh -c 'cat /proc/self/comm; ls -d /proc/self/fd; echo x "
      ">/dev/null'",
      "env -i /bin/asroot",
  };
  spec_.user = "user";
  for (const auto& script : scripts) {
    const auto here = output_of(script);
    ASSERT_TRUE(sys::enter_private_mounts());
    const sys::TempDir mounts(sys::scratch_directory());
    const auto by_chroot = std::exchange(sandbox_, make_namespaces(mounts.path()));
    EXPECT_EQ(here, output_of(script)) << script;
    sandbox_.reset();
    sandbox_ = make_chroot(base_.path() / "work");
  }
  // Signals are passed on, of which the kernel would let only the owner send one.
  EXPECT_TRUE(
      output_of(
          "asroot sh -c 'trap \"echo told; exit 3\" TERM; echo r\"\"eady; sleep 100 & wait' >/tmp/log & "
          "until grep -q ready /tmp/log; do :; done; kill $!; wait $!; echo $?; tail -n 1 /tmp/log")
          .ends_with("3\ntold\n"))
      << printed_;
  spec_.args = {"asroot", "id", "-u"};
  printed_.clear();
  EXPECT_TRUE(sandbox_->run(spec_, [this](std::string_view text) { printed_ += text; }).success());
  EXPECT_TRUE(printed_.starts_with("users 1000 0 0,")) << printed_;
  EXPECT_TRUE(printed_.ends_with("arguments asroot id -u\n0\n")) << printed_;
  spec_.user = "";
  EXPECT_NE(output_of("asroot id -u; readlink /proc/self/exe").find("\n0\n/bin/busybox\n"),
            std::string::npos);
}

TEST_F(Chroot, LeavesNoTraceOfMountsAndFailures) {
  spec_.files = {{.target = "/run/secrets/key", .content = "secret"}};
  EXPECT_EQ(output_of("cat /run/secrets/key; rm /etc/resolv.conf"), "secret");
  EXPECT_FALSE(fs::exists(root() / "run"));
  spec_.args = {"nosuch"};
  EXPECT_EQ(test::error_of([&] { sandbox_->run(spec_, [](std::string_view) {}); }),
            "exec: \"nosuch\": executable file not found in $PATH");
  EXPECT_FALSE(fs::exists(root() / "run"));
  EXPECT_FALSE(fs::exists(root() / "etc/resolv.conf"));
  EXPECT_TRUE(fs::is_empty(base_.path() / "work"));
}

TEST_F(Chroot, HasNoNetworkWhereNoneIsWanted) {
  spec_.network = Network::none;
  EXPECT_NE(run("nc 127.0.0.1 1 </dev/null").code, 0);
  EXPECT_NE(printed_.find("Address family not supported"), std::string::npos) << printed_;
}

TEST_F(Chroot, RefusesWhatNobodyHasHere) {
  spec_.insecure = true;
  EXPECT_NE(test::error_of([&] { run("true"); }).find("privileged: true"), std::string::npos);
  spec_.insecure = false;
  fs::remove(root() / "proc");
  fs::create_symlink("tmp", root() / "proc");
  EXPECT_EQ(test::error_of([&] { run("true"); }),
            "cannot mount '/proc' for the step: filesystem \"proc\" must be mounted on ordinary directory");
}

TEST_F(Chroot, KeepsTheStepsOfOneBuildApart) {
  if (test::has_thread_sanitizer)
    GTEST_SKIP() << "ThreadSanitizer has locks that a process cloned beside threads may find held for ever";
  fs::copy(root(), base_.path() / "other", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  for (const auto& place : {root(), base_.path() / "other"}) {
    ASSERT_EQ(::mkfifo((place / "tmp/there").c_str(), 0600), 0);
    ASSERT_EQ(::mkfifo((place / "tmp/go").c_str(), 0600), 0);
  }
  Spec other = spec_;
  other.root = base_.path() / "other";
  const std::string script = ": >/tmp/there; cat /tmp/go; cat /proc/self/comm; ls /proc | grep -c '^[0-9]*$'";
  std::string printed;
  sys::Thread thread([&] {
    other.args = {"/bin/sh", "-c", script};
    sandbox_->run(other, [&](std::string_view text) { printed += text; });
  });
  sys::Thread starter([&] {
    // Both run before one of them goes on.
    for (const char* name : {"tmp/there", "tmp/go"}) {
      for (const auto& place : {root(), other.root})
        const sys::UniqueFd fifo(
            ::open((place / name).c_str(), (name[4] == 't' ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
    }
  });
  EXPECT_EQ(output_of(script), "cat\n3\n");
  thread.join();
  starter.join();
  EXPECT_EQ(printed, "cat\n3\n");
}

#if defined(__x86_64__)
// Opens /proc/self/comm by the system calls of i386, and writes what it reads: an executable of 167 bytes.
TEST_F(Chroot, AnswersProgramsOf32Bits) {
  constexpr unsigned char program[] = {
      0x7f, 0x45, 0x4c, 0x46, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
      0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x54, 0x80, 0x04, 0x08, 0x34, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x34, 0x00, 0x20, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x04, 0x08, 0x00, 0x80, 0x04, 0x08,
      0xa7, 0x00, 0x00, 0x00, 0xa7, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0xb8,
      0x05, 0x00, 0x00, 0x00, 0xbb, 0x97, 0x80, 0x04, 0x08, 0xb9, 0x00, 0x00, 0x00, 0x00, 0xba, 0x00, 0x00,
      0x00, 0x00, 0xcd, 0x80, 0x89, 0xc3, 0x83, 0xec, 0x40, 0x89, 0xe1, 0xba, 0x40, 0x00, 0x00, 0x00, 0xb8,
      0x03, 0x00, 0x00, 0x00, 0xcd, 0x80, 0x89, 0xc2, 0xbb, 0x01, 0x00, 0x00, 0x00, 0xb8, 0x04, 0x00, 0x00,
      0x00, 0xcd, 0x80, 0xbb, 0x00, 0x00, 0x00, 0x00, 0xb8, 0x01, 0x00, 0x00, 0x00, 0xcd, 0x80, 0x2f, 0x70,
      0x72, 0x6f, 0x63, 0x2f, 0x73, 0x65, 0x6c, 0x66, 0x2f, 0x63, 0x6f, 0x6d, 0x6d, 0x00};
  sys::write_file(root() / "bin/tiny", std::string(reinterpret_cast<const char*>(program), sizeof program),
                  0755);
  EXPECT_EQ(output_of("/bin/tiny"), "tiny\n");
}
#endif

// All that the engine keeps of a step is a process of its own, which notices.
TEST_F(Chroot, EndsWithTheEngine) {
  ASSERT_EQ(::mkfifo((root() / "tmp/started").c_str(), 0600), 0);
  const pid_t engine = ::fork();
  if (engine == 0) {
    run("setsid sleep 1000 & echo $! >/tmp/started; sleep 1000");
    ::_exit(0);
  }
  std::ifstream started(root() / "tmp/started");
  pid_t left = 0;
  ASSERT_TRUE(started >> left);
  const sys::UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, left, 0)));
  ASSERT_TRUE(ended);
  ::kill(engine, SIGKILL);
  ::waitpid(engine, nullptr, 0);
  pollfd event{ended.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&event, 1, 60'000), 1);
}

}  // namespace
}  // namespace sandbox
