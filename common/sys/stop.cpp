// Stop requests by a self-pipe.
#include "common/sys/stop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "common/util/error.hpp"

namespace sys::stop {
namespace {

std::atomic<int> stop_signal = 0;
int read_end = -1;
int write_end = -1;

extern "C" void on_stop_signal(int signal) {
  const int saved_errno = errno;
  int none = 0;
  // The byte is never read: the pipe stays readable for every waiter.
  if (stop_signal.compare_exchange_strong(none, signal)) [[maybe_unused]]
    const auto ignored = ::write(write_end, "", 1);
  errno = saved_errno;
}

}  // namespace

void install() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) util::throw_errno("cannot make a pipe");
  read_end = ends[0];
  write_end = ends[1];
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    if (::sigaction(signal, &action, nullptr) != 0) util::throw_errno("cannot handle signals");
  }
  action.sa_handler = SIG_IGN;
  if (::sigaction(SIGPIPE, &action, nullptr) != 0) util::throw_errno("cannot ignore SIGPIPE");
}

int requested() noexcept {
  return stop_signal.load(std::memory_order_relaxed);
}

void check() {
  const int signal = requested();
  if (signal != 0) {
    throw util::Error(std::string("stopped by SIG") + ::sigabbrev_np(signal), 128 + signal,
                      {.kind = util::Cause::Kind::cancelled});
  }
}

void check(const std::stop_token& cancel) {
  check();
  if (cancel.stop_requested()) throw util::Error("cancelled", util::Cause::Kind::cancelled);
}

int fd() noexcept {
  return read_end;
}

}  // namespace sys::stop
