// In the place of a program that runs elsewhere.
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <csignal>

#include "common/sandbox/borrower/parts.hpp"

namespace borrower {
namespace {

using sandbox::bare_call;
using sandbox::BorrowerState;
using sandbox::LentEnd;
using sandbox::to_long;

constexpr long mask_size = 8;  // of the kernel's set of signals

char* end_of(char* text) {
  while (*text != '\0')
    ++text;
  return text + 1;
}

std::uint64_t ignored_signals() {
  std::uint64_t ignored = 0;
  for (int signal = 1; signal <= 64; ++signal) {
    // The handler is what the kernel's structure begins with.
    long action[8];
    if (bare_call(SYS_rt_sigaction, signal, 0, to_long(action), mask_size) == 0 && action[0] == 1)
      ignored |= 1UL << (signal - 1);
  }
  return ignored;
}

bool send_state(long channel, BorrowerState& state, long directory) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (sandbox::most_lent_descriptors + 1))];
  const auto size = sizeof(int) * (state.descriptors + 1);
  auto* const header = reinterpret_cast<cmsghdr*>(control);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  auto* const numbers = reinterpret_cast<int*>(CMSG_DATA(header));
  numbers[0] = static_cast<int>(directory);
  for (unsigned i = 0; i < state.descriptors; ++i)
    numbers[i + 1] = state.numbers[i];
  iovec data{&state, sizeof state};
  msghdr message;
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(size);
  message.msg_flags = 0;
  return bare_call(SYS_sendmsg, channel, to_long(&message), MSG_NOSIGNAL) == static_cast<long>(sizeof state);
}

bool write_all(long channel, const char* data, std::uint64_t size) {
  while (size > 0) {
    const long count = bare_call(SYS_write, channel, to_long(data), static_cast<long>(size));
    if (count == -EINTR) continue;
    if (count <= 0) return false;
    data += count;
    size -= static_cast<std::uint64_t>(count);
  }
  return true;
}

[[noreturn]] void end_as(const LentEnd& end) {
  if (end.signal != 0) {
    long action[4] = {0, 0, 0, 0};
    bare_call(SYS_rt_sigaction, end.signal, to_long(action), 0, mask_size);
    const std::uint64_t none = 0;
    bare_call(SYS_rt_sigprocmask, SIG_SETMASK, to_long(&none), 0, mask_size);
    const long self = bare_call(SYS_getpid);
    bare_call(SYS_tgkill, self, bare_call(SYS_gettid), end.signal);
  }
  for (;;)
    bare_call(SYS_exit_group, end.signal != 0 ? 128 + end.signal : end.code);
}

}  // namespace

void borrow(const Start& start) {
  const long channel = bare_call(SYS_openat, AT_FDCWD, to_long(sandbox::borrower_path), O_RDWR | O_CLOEXEC);
  if (channel < 0 || start.count == 0) return;
  BorrowerState state;
  state.arguments = static_cast<std::uint32_t>(start.count);
  state.variables = 0;
  char* last = start.arguments[start.count - 1];
  for (char** variable = start.variables; *variable != nullptr; ++variable, ++state.variables)
    last = *variable;
  state.bytes = static_cast<std::uint64_t>(end_of(last) - start.arguments[0]);
  state.umask = static_cast<std::uint32_t>(bare_call(SYS_umask, 077));
  state.ignored = ignored_signals();
  const std::uint64_t all = ~0UL;
  bare_call(SYS_rt_sigprocmask, SIG_SETMASK, to_long(&all), to_long(&state.blocked), mask_size);
  for (int limit = 0; limit < sandbox::lent_limits; ++limit)
    bare_call(SYS_prlimit64, 0, limit, 0, to_long(state.limits[limit]));
  state.descriptors = 0;
  for (int fd = 0; fd < sandbox::lent_numbers; ++fd) {
    const long flags = bare_call(SYS_fcntl, fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0 && state.descriptors < sandbox::most_lent_descriptors)
      state.numbers[state.descriptors++] = fd;
  }
  const long directory = bare_call(SYS_openat, AT_FDCWD, to_long("."), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const long signals = bare_call(SYS_signalfd4, -1, to_long(&all), mask_size, SFD_CLOEXEC);
  if (directory < 0 || signals < 0 || !send_state(channel, state, directory) ||
      !write_all(channel, start.arguments[0], state.bytes))
    return;
  for (;;) {
    pollfd events[2] = {{static_cast<int>(channel), POLLIN, 0}, {static_cast<int>(signals), POLLIN, 0}};
    bare_call(SYS_ppoll, to_long(events), 2, 0, 0, 0);
    if (events[0].revents != 0) {
      LentEnd end;
      if (bare_call(SYS_read, channel, to_long(&end), sizeof end) != sizeof end) end = {SIGKILL, 0};
      end_as(end);
    }
    if (events[1].revents == 0) continue;
    signalfd_siginfo information;
    if (bare_call(SYS_read, signals, to_long(&information), sizeof information) != sizeof information)
      continue;
    const auto number = static_cast<std::int32_t>(information.ssi_signo);
    if (number != SIGCHLD) bare_call(SYS_write, channel, to_long(&number), sizeof number);
  }
}

}  // namespace borrower
