// Programs for the kernel's filter machine, written out: libseccomp compiles no filter whose rules compare
// the same call in different ways to one that is as short.
#include "common/sandbox/notify_filter.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

namespace sandbox {
namespace {

using Variant = TrappedCall::Variant;

#if defined(__x86_64__)
constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
constexpr std::uint32_t companion = AUDIT_ARCH_I386;
#elif defined(__aarch64__)
constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t companion = AUDIT_ARCH_ARM;
#else
#error "the supervisor knows no system calls of this architecture yet"
#endif

constexpr TrappedCall trapped[] = {
    {native, SYS_openat, Question::open, true},
    {native, 437, Question::open_how, true},
    {native, SYS_newfstatat, Question::status, true},
    {native, SYS_statx, Question::statx, true},
    {native, SYS_faccessat, Question::access, true},
    {native, 439, Question::access, true},
    {native, SYS_readlinkat, Question::link_target, true},
    {native, SYS_execve, Question::execute, false},
    {native, SYS_execveat, Question::execute, true},
    {native, SYS_chdir, Question::enter, false},
    {native, SYS_statfs, Question::filesystem, false},
    {native, SYS_getxattr, Question::attribute, false},
    {native, SYS_lgetxattr, Question::attribute, false, Variant::no_follow},
    {native, SYS_listxattr, Question::attributes, false},
    {native, SYS_llistxattr, Question::attributes, false, Variant::no_follow},
    {native, SYS_kill, Question::signal, false},
#if defined(__x86_64__)
    {native, SYS_open, Question::open, false},
    {native, SYS_creat, Question::open, false, Variant::create},
    {native, SYS_stat, Question::status, false},
    {native, SYS_lstat, Question::status, false, Variant::no_follow},
    {native, SYS_access, Question::access, false},
    {native, SYS_readlink, Question::link_target, false},
#endif
#if defined(__x86_64__)
    {companion, 295, Question::open, true},
    {companion, 437, Question::open_how, true},
    {companion, 300, Question::status, true, Variant::compat},
    {companion, 383, Question::statx, true},
    {companion, 307, Question::access, true},
    {companion, 439, Question::access, true},
    {companion, 305, Question::link_target, true},
    {companion, 11, Question::execute, false},
    {companion, 358, Question::execute, true},
    {companion, 12, Question::enter, false},
    {companion, 37, Question::signal, false},
    {companion, 5, Question::open, false},
    {companion, 8, Question::open, false, Variant::create},
    {companion, 195, Question::status, false, Variant::compat},
    {companion, 196, Question::status, false, Variant::compat_no_follow},
    {companion, 33, Question::access, false},
    {companion, 85, Question::link_target, false},
#elif defined(__aarch64__)
    {companion, 322, Question::open, true},
    {companion, 437, Question::open_how, true},
    {companion, 397, Question::statx, true},
    {companion, 334, Question::access, true},
    {companion, 439, Question::access, true},
    {companion, 332, Question::link_target, true},
    {companion, 11, Question::execute, false},
    {companion, 387, Question::execute, true},
    {companion, 12, Question::enter, false},
    {companion, 37, Question::signal, false},
    {companion, 5, Question::open, false},
    {companion, 8, Question::open, false, Variant::create},
    {companion, 33, Question::access, false},
    {companion, 85, Question::link_target, false},
#endif
};

using Program = std::vector<sock_filter>;

void load(Program& program, std::size_t offset) {
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
}

// Goes on behind the next `count` instructions unless the loaded word is `value`.
void unless_equal_skip(Program& program, std::uint32_t value, std::size_t count) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, static_cast<std::uint8_t>(count)));
}

void answer(Program& program, std::uint32_t action) {
  program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
}

void ask_about(Program& program, const TrappedCall& call) {
  unless_equal_skip(program, static_cast<std::uint32_t>(call.number), call.takes_directory ? 4 : 1);
  if (call.takes_directory) {
    load(program, offsetof(seccomp_data, args));
    unless_equal_skip(program, static_cast<std::uint32_t>(AT_FDCWD), 1);
    answer(program, SECCOMP_RET_USER_NOTIF);
    answer(program, SECCOMP_RET_ALLOW);
  } else {
    answer(program, SECCOMP_RET_USER_NOTIF);
  }
}

// `part` for each architecture, behind a check for it that ends in leave for all others.
template <typename Part>
Program for_architectures(const Part& part) {
  Program whole;
  for (const auto architecture : {native, companion}) {
    Program inner;
    load(inner, offsetof(seccomp_data, nr));
    part(inner, architecture);
    answer(inner, SECCOMP_RET_ALLOW);
    load(whole, offsetof(seccomp_data, arch));
    unless_equal_skip(whole, architecture, inner.size());
    whole.insert(whole.end(), inner.begin(), inner.end());
  }
  answer(whole, SECCOMP_RET_ALLOW);
  return whole;
}

Program make_supervised() {
  return for_architectures([](Program& program, std::uint32_t architecture) {
    for (const auto& call : trapped) {
      if (call.architecture == architecture) ask_about(program, call);
    }
  });
}

Program make_no_network() {
  constexpr std::uint32_t families[] = {AF_INET, AF_INET6, AF_PACKET, AF_NETLINK};
  return for_architectures([&](Program& program, std::uint32_t architecture) {
    const bool is_native = architecture == native;
#if defined(__x86_64__)
    const std::uint32_t socket = is_native ? SYS_socket : 359;
    if (!is_native) {
      // Its family lies in memory.
      unless_equal_skip(program, 102, 4);
      load(program, offsetof(seccomp_data, args));
      unless_equal_skip(program, 1, 1);
      answer(program, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
      answer(program, SECCOMP_RET_ALLOW);
    }
#else
    const std::uint32_t socket = is_native ? SYS_socket : 281;
#endif
    unless_equal_skip(program, socket, 2 * std::size(families) + 1);
    load(program, offsetof(seccomp_data, args));
    for (const auto family : families) {
      unless_equal_skip(program, family, 1);
      answer(program, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    }
  });
}

}  // namespace

const TrappedCall* find_trapped(std::uint32_t architecture, int number) noexcept {
  for (const auto& call : trapped) {
    if (call.architecture == architecture && call.number == number) return &call;
  }
  return nullptr;
}

const std::vector<sock_filter>& supervised_filter() {
  static const Program filter = make_supervised();
  return filter;
}

const std::vector<sock_filter>& no_network_filter() {
  static const Program filter = make_no_network();
  return filter;
}

}  // namespace sandbox
