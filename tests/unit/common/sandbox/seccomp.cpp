// The profile of steps at work, in children that it is applied to.
#include "common/sandbox/seccomp.hpp"

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "tests/support/in_child.hpp"

namespace {

// The errno that `call` ends with under the profile, 0 if it succeeds.
template <typename Call>
int outcome(Call&& call) {
  const auto& filter = sandbox::default_seccomp_filter();
  return test::in_child([&] {
    const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                             .filter = const_cast<sock_filter*>(filter.data())};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 98;
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) return 98;
    errno = 0;
    return call() < 0 ? errno : 0;
  });
}

int socket_of(int family) {
  return outcome([family] { return ::socket(family, SOCK_DGRAM, 0); });
}

TEST(Seccomp, FitsIntoWhatTheKernelTakes) {
  EXPECT_GT(sandbox::default_seccomp_filter().size(), 0U);
  EXPECT_LE(sandbox::default_seccomp_filter().size(), std::size_t{BPF_MAXINSNS});
}

TEST(Seccomp, AllowsWhatProgramsNeed) {
  EXPECT_EQ(outcome([] { return ::access("/", F_OK); }), 0);
  EXPECT_EQ(outcome([] {
              const pid_t child = ::fork();
              if (child == 0) ::_exit(0);
              return child;
            }),
            0);
  EXPECT_EQ(socket_of(AF_UNIX), 0);
}

// The 14 default capabilities do not include those that these calls are for.
TEST(Seccomp, RefusesWhatTheDefaultCapabilitiesDoNotCover) {
  EXPECT_EQ(outcome([] { return ::syscall(SYS_mount, nullptr, "/", nullptr, 0UL, nullptr); }), EPERM);
  EXPECT_EQ(outcome([] { return ::syscall(SYS_bpf, 0, nullptr, 0U); }), EPERM);
  EXPECT_EQ(outcome([] { return ::syscall(SYS_keyctl, 0, 0, 0, 0, 0); }), EPERM);
  EXPECT_EQ(outcome([] { return ::syscall(SYS_init_module, nullptr, 0UL, ""); }), EPERM);
  EXPECT_EQ(outcome([] { return ::syscall(SYS_setns, -1, 0); }), EPERM);
}

TEST(Seccomp, RefusesNewNamespaces) {
  EXPECT_EQ(outcome([] { return ::unshare(CLONE_NEWUSER); }), EPERM);
#if !defined(__s390x__)
  EXPECT_EQ(outcome([] { return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, 0, 0, 0); }), EPERM);
#endif
}

TEST(Seccomp, LetsNewCallsLookUnknownSoThatProgramsTakeOlderOnes) {
  EXPECT_EQ(outcome([] { return ::syscall(SYS_clone3, nullptr, 0UL); }), ENOSYS);
  EXPECT_EQ(outcome([] { return ::syscall(100'000); }), ENOSYS);
}

TEST(Seccomp, RefusesSocketsThatReachPastNamespaces) {
  EXPECT_EQ(socket_of(AF_ALG), EPERM);
  EXPECT_EQ(socket_of(AF_VSOCK), EPERM);
  // The kernel looks at the lower half of the number alone.
  for (const long family : {AF_ALG, AF_VSOCK})
    EXPECT_EQ(outcome([&] { return ::syscall(SYS_socket, 1L << 32 | family, SOCK_STREAM, 0); }), EPERM);
}

TEST(Seccomp, RefusesTheIoctlsThatOpenOtherMountNamespaces) {
  const auto ioctl = [](unsigned long request) {
    return outcome([request] { return ::syscall(SYS_ioctl, -1, request, nullptr); });
  };
  struct mnt_ns_info {
    std::uint32_t size, mounts;
    std::uint64_t id;
  };
  constexpr unsigned long next = _IOR(0xb7, 11, mnt_ns_info);
  constexpr unsigned long previous = _IOR(0xb7, 12, mnt_ns_info);
  for (const auto request : {next, previous, 1UL << 32 | next, 0xb70bUL})
    EXPECT_EQ(ioctl(request), EPERM) << request;
  // Allowed, so that it is the kernel that has no such file.
  for (const unsigned long request :
       {0UL, 0x5401UL /* TCGETS */, 0xb701UL, 0xb709UL, _IOR(0xb7, 10, mnt_ns_info), 0xb60bUL, 0x70bUL})
    EXPECT_EQ(ioctl(request), EBADF) << request;
}

TEST(Seccomp, HidesTheCallsThatShowTheMountsOfOthers) {
  constexpr long statmount = 457, listmount = 458;  // on every architecture
  EXPECT_EQ(outcome([] { return ::syscall(statmount, nullptr, nullptr, 0UL, 0); }), ENOSYS);
  EXPECT_EQ(outcome([] { return ::syscall(listmount, nullptr, nullptr, 0UL, 0); }), ENOSYS);
}

TEST(Seccomp, AllowsThePersonalitiesThatProgramsUse) {
  EXPECT_EQ(outcome([] { return ::personality(0xffffffff); }), 0);
  EXPECT_EQ(outcome([] { return ::personality(ADDR_NO_RANDOMIZE); }), EPERM);
}

}  // namespace
