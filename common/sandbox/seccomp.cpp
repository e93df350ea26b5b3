// The default seccomp profile, compiled by libseccomp.
#include "common/sandbox/seccomp.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

// What the profile of moby, containerd and podman allows a container with the default capabilities. Names
// that an architecture does not have are passed over.
// clang-format off
constexpr const char* allowed[] = {
    "_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "arch_prctl",
    "arm_fadvise64_64", "arm_sync_file_range", "bind", "breakpoint", "brk", "cacheflush", "cachestat",
    "capget", "capset", "chdir", "chmod", "chown", "chown32", "chroot", "clock_adjtime", "clock_adjtime64",
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
    "clock_nanosleep_time64", "close", "close_range", "connect", "copy_file_range", "creat", "dup", "dup2",
    "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group",
    "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod",
    "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr",
    "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs",
    "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex", "futex_requeue", "futex_time64", "futex_wait",
    "futex_waitv", "futex_wake", "futimesat", "get_robust_list", "get_thread_area", "getcpu", "getcwd",
    "getdents", "getdents64", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32",
    "getgroups", "getgroups32", "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid",
    "getpriority", "getrandom", "getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit",
    "getrusage", "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getuid32",
    "getxattr", "getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
    "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup",
    "io_submit", "ioprio_get", "ioprio_set", "ipc", "kill", "landlock_add_rule",
    "landlock_create_ruleset", "landlock_restrict_self", "lchown", "lchown32", "lgetxattr", "link", "linkat",
    "listen", "listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek", "lsetxattr",
    "lstat", "lstat64", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
    "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mmap2",
    "modify_ldt", "mprotect", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
    "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "mremap", "mseal", "msgctl",
    "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap", "name_to_handle_at",
    "nanosleep", "newfstatat", "open", "openat", "openat2", "pause", "pidfd_open", "pidfd_send_signal",
    "pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl",
    "pread64", "preadv", "preadv2", "prlimit64", "process_mrelease", "process_vm_readv", "process_vm_writev",
    "pselect6", "pselect6_time64", "ptrace", "pwrite64", "pwritev", "pwritev2", "read", "readahead",
    "readlink", "readlinkat", "readv", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg",
    "remap_file_pages", "removexattr", "removexattrat", "rename", "renameat", "renameat2", "restart_syscall",
    "riscv_flush_icache", "riscv_hwprobe", "rmdir", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64",
    "rt_tgsigqueueinfo", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
    "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
    "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam",
    "sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop", "semtimedop",
    "semtimedop_time64", "send", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "set_robust_list",
    "set_thread_area", "set_tid_address", "set_tls", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32",
    "setgid", "setgid32", "setgroups", "setgroups32", "setitimer", "setpgid", "setpriority", "setregid",
    "setregid32", "setresgid", "setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32",
    "setrlimit", "setsid", "setsockopt", "setuid", "setuid32", "setxattr", "setxattrat", "shmat", "shmctl",
    "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd", "signalfd4", "sigprocmask", "sigreturn",
    "socketcall", "socketpair", "splice", "stat", "stat64", "statfs", "statfs64", "statx",
    "symlink", "symlinkat", "sync", "sync_file_range", "sync_file_range2", "syncfs", "sysinfo", "tee",
    "tgkill", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
    "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64",
    "timerfd_settime", "timerfd_settime64", "times", "tkill", "truncate", "truncate64", "ugetrlimit", "umask",
    "uname", "unlink", "unlinkat", "uretprobe", "utime", "utimensat", "utimensat_time64", "utimes", "vfork",
    "vmsplice", "wait4", "waitid", "waitpid", "write", "writev",
};
// clang-format on

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

void check(int result, const char* what) {
  if (result < 0) util::throw_errno(std::string("seccomp: cannot ") + what, -result);
}

template <typename... Conditions>
void add(const Context& context, std::uint32_t action, const char* name, Conditions... conditions) {
  const int number = ::seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return;
  check(::seccomp_rule_add(context.get(), action, number, sizeof...(conditions), conditions...), name);
}

// All but those that give descriptors of mount namespaces beside our own (NS_MNT_GET_NEXT and
// NS_MNT_GET_PREV, linux/nsfs.h): some kernels ask there for no right but one that root of a step has over
// those of other steps. The kernel takes the lower half of the number alone, of which 16 bits say what a call
// is.
void add_ioctl(const Context& context) {
  constexpr scmp_datum_t of_namespaces = 0xb700;
  const auto allow = [&](scmp_datum_t mask, scmp_datum_t value) {
    add(context, SCMP_ACT_ALLOW, "ioctl", SCMP_A1(SCMP_CMP_MASKED_EQ, mask, value));
  };
  // Another family: one bit of it at least is another one.
  for (scmp_datum_t bit = 0x100; bit <= 0x8000; bit <<= 1)
    allow(bit, ~of_namespaces & bit);
  // Of this one 11 and 12 are those two.
  allow(0xfff8, of_namespaces);
  allow(0xfffe, of_namespaces | 8);
  allow(0xffff, of_namespaces | 10);
}

void add_rules(const Context& context) {
  for (const char* name : allowed)
    add(context, SCMP_ACT_ALLOW, name);
  add_ioctl(context);
  // They show the mounts of every namespace that one knows the number of. Who uses them has another way.
  for (const char* name : {"listmount", "statmount"})
    add(context, SCMP_ACT_ERRNO(ENOSYS), name);

  // Sockets of every family but AF_ALG (38) and AF_VSOCK (40), which reach past namespaces.
  add(context, SCMP_ACT_ALLOW, "socket", SCMP_A0(SCMP_CMP_LT, 38));
  add(context, SCMP_ACT_ALLOW, "socket", SCMP_A0(SCMP_CMP_EQ, 39));
  // Not "above 40": the kernel takes the lower half of the number alone, so that 2^32 + 40 is AF_VSOCK.
  for (unsigned family = 41; family <= 45; ++family)
    add(context, SCMP_ACT_ALLOW, "socket", SCMP_A0(SCMP_CMP_EQ, family));

  // Personalities that programs use: Linux, uname 2.6, 32-bit, and asking.
  for (const scmp_datum_t personality : {0x0UL, 0x8UL, 0x20000UL, 0x20008UL, 0xffffffffUL}) {
    add(context, SCMP_ACT_ALLOW, "personality", SCMP_A0(SCMP_CMP_EQ, personality));
  }

  // No new namespaces. clone3 hides its flags in memory, so it does not exist; libc then takes clone.
  constexpr scmp_datum_t new_namespaces = 0x7E020000;
#if defined(__s390x__)
  add(context, SCMP_ACT_ALLOW, "clone", SCMP_A1(SCMP_CMP_MASKED_EQ, new_namespaces, 0));
#else
  add(context, SCMP_ACT_ALLOW, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, new_namespaces, 0));
#endif
  add(context, SCMP_ACT_ERRNO(ENOSYS), "clone3");
}

void add_companion_architectures(const Context& context) {
  for (const std::uint32_t architecture :
#if defined(__x86_64__)
       {SCMP_ARCH_X86, SCMP_ARCH_X32}
#elif defined(__aarch64__)
       {SCMP_ARCH_ARM}
#else
       {SCMP_ARCH_NATIVE}
#endif
  ) {
    const int result = ::seccomp_arch_add(context.get(), architecture);
    if (result != -EEXIST) check(result, "add an architecture");
  }
}

// An architecture in the words of the kernel and of libseccomp, and the numbers that belong to another one.
struct Architecture {
  std::uint32_t audit;
  std::uint32_t seccomp;
  std::uint32_t numbers_end;
};
constexpr Architecture architectures[] = {
#if defined(__x86_64__)
    {AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0x40000000},  // from there on those of x32
    {AUDIT_ARCH_I386, SCMP_ARCH_X86, UINT32_MAX},
#elif defined(__aarch64__)
    {AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, UINT32_MAX},
    {AUDIT_ARCH_ARM, SCMP_ARCH_ARM, 0x0f0000},  // from there on private ones
#endif
};

std::uint32_t highest_number(std::uint32_t architecture) {
  int highest = 0;
  for (const char* name : allowed)
    highest = std::max(highest, ::seccomp_syscall_resolve_name_arch(architecture, name));
  return static_cast<std::uint32_t>(highest);
}

// System calls newer than all that the profile knows do not exist, rather than being refused: programs that
// try them first then take the older ones. Comes before the compiled filter, as runc does it.
std::vector<sock_filter> unknown_calls() {
  std::vector<sock_filter> filter;
  for (const auto& architecture : architectures) {
    const sock_filter part[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture.audit, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, architecture.numbers_end, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest_number(architecture.seccomp), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    filter.insert(filter.end(), std::begin(part), std::end(part));
  }
  return filter;
}

std::vector<sock_filter> compile(const Context& context) {
  const sys::UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) util::throw_errno("cannot make a memory file");
  check(::seccomp_export_bpf(context.get(), file.get()), "compile the filter");
  if (::lseek(file.get(), 0, SEEK_SET) != 0) util::throw_errno("cannot read the seccomp filter");
  const std::string bytes = sys::read_to_end(file.get(), "the seccomp filter");
  auto filter = unknown_calls();
  const auto begin = filter.size();
  filter.resize(begin + bytes.size() / sizeof(sock_filter));
  bytes.copy(reinterpret_cast<char*>(filter.data() + begin), bytes.size());
  return filter;
}

std::vector<sock_filter> make_filter() {
  const Context context(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!context) throw util::Error("seccomp: cannot make a filter");
  // The sandbox decides about no_new_privs itself: it stays off, so that sudo works in a step.
  check(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_NNP, 0), "leave no_new_privs alone");
  add_companion_architectures(context);
  add_rules(context);
  return compile(context);
}

}  // namespace

const std::vector<sock_filter>& default_seccomp_filter() {
  static const std::vector<sock_filter> filter = make_filter();
  return filter;
}

}  // namespace sandbox
