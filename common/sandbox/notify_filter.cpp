// Programs for the kernel's filter machine, written out: libseccomp compiles no filter whose rules compare
// the same call in different ways to one that is as short.
#include "common/sandbox/notify_filter.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "common/sandbox/trapped_calls.hpp"

namespace sandbox {
namespace {

constexpr auto native = native_architecture;
constexpr auto companion = companion_architecture;

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
  if (!call.takes_directory) {
    unless_equal_skip(program, static_cast<std::uint32_t>(call.number), 1);
    return answer(program, SECCOMP_RET_USER_NOTIF);
  }
  const int paths = call.has_two_paths() ? 2 : 1;
  unless_equal_skip(program, static_cast<std::uint32_t>(call.number),
                    3 * static_cast<std::size_t>(paths) + 1);
  for (int path = 0; path < paths; ++path) {
    const auto directory = static_cast<std::size_t>(call.path_argument(path) - 1);
    load(program, offsetof(seccomp_data, args) + sizeof(std::uint64_t) * directory);
    unless_equal_skip(program, static_cast<std::uint32_t>(AT_FDCWD), 1);
    answer(program, SECCOMP_RET_USER_NOTIF);
  }
  answer(program, SECCOMP_RET_ALLOW);
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
    // Too far for a conditional jump.
    whole.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
    whole.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(inner.size())));
    whole.insert(whole.end(), inner.begin(), inner.end());
  }
  answer(whole, SECCOMP_RET_ALLOW);
  return whole;
}

Program make_supervised() {
  return for_architectures([](Program& program, std::uint32_t architecture) {
    for (const auto& call : trapped_calls()) {
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

const std::vector<sock_filter>& supervised_filter() {
  static const Program filter = make_supervised();
  return filter;
}

const std::vector<sock_filter>& no_network_filter() {
  static const Program filter = make_no_network();
  return filter;
}

}  // namespace sandbox
