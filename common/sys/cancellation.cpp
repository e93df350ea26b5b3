// Flags that are looked up from below, and descriptors only for who polls.
#include "common/sys/cancellation.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string>

#include "common/sys/fd.hpp"
#include "common/util/error.hpp"

namespace sys {
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

struct Cancellation::State {
  explicit State(std::shared_ptr<State> its_parent) : parent(std::move(its_parent)) {}

  const std::shared_ptr<State> parent;  // null = that of the process
  std::atomic<bool> requested = false;
  std::mutex mutex;
  UniqueFd event;  // this and what follows is guarded by mutex; written to once it is requested, never read
  UniqueFd any;    // an epoll of the events of this state and of all above it

  int event_fd() {
    const std::lock_guard lock(mutex);
    if (!event) {
      event = UniqueFd(::eventfd(requested ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
      if (!event) util::throw_errno("cannot make an event");
    }
    return event.get();
  }

  int any_fd() {
    {
      const std::lock_guard lock(mutex);
      if (any) return any.get();
    }
    // A handler of signals can write to one descriptor, not to one for each who waits; an epoll is readable
    // when one in it is. Flat, because the kernel lets few of them be in each other.
    UniqueFd made(::epoll_create1(EPOLL_CLOEXEC));
    if (!made) util::throw_errno("cannot make an epoll");
    const auto add = [&](int fd) {
      epoll_event wanted{};
      wanted.events = EPOLLIN;
      if (fd >= 0 && ::epoll_ctl(made.get(), EPOLL_CTL_ADD, fd, &wanted) != 0)
        util::throw_errno("cannot wait for an event");
    };
    for (auto* state = this; state != nullptr; state = state->parent.get())
      add(state->event_fd());
    add(read_end);
    const std::lock_guard lock(mutex);
    if (!any) any = std::move(made);
    return any.get();
  }
};

bool Cancellation::requested() const noexcept {
  for (const auto* state = state_.get(); state != nullptr; state = state->parent.get()) {
    if (state->requested.load(std::memory_order_relaxed)) return true;
  }
  return cancelling_signal() != 0;
}

void Cancellation::check() const {
  if (!requested()) return;
  if (const int signal = cancelling_signal(); signal != 0) {
    throw util::Error(std::string("stopped by SIG") + ::sigabbrev_np(signal), 128 + signal,
                      {.kind = util::Cause::Kind::cancelled});
  }
  throw util::Error("cancelled", util::Cause::Kind::cancelled);
}

int Cancellation::fd() const {
  return state_ ? state_->any_fd() : read_end;
}

void Cancellation::sleep(std::chrono::milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  check();
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    wait({}, left);
  }
}

void Cancellation::wait(std::span<pollfd> events, std::optional<std::chrono::milliseconds> limit) const {
  std::array<pollfd, 8> all = {};
  assert(events.size() < all.size());
  std::copy(events.begin(), events.end(), all.begin());
  all[events.size()] = {fd(), POLLIN, 0};
  const auto most =
      std::min<std::chrono::milliseconds>(limit.value_or(std::chrono::hours(1)), std::chrono::hours(1));
  if (::poll(all.data(), events.size() + 1, static_cast<int>(most.count())) < 0) {
    if (errno != EINTR) util::throw_errno("cannot wait");
    for (auto& event : all)
      event.revents = 0;
  }
  check();
  std::copy_n(all.begin(), events.size(), events.begin());
}

Canceller::Canceller(const Cancellation& above) {
  cancellation_.state_ = std::make_shared<Cancellation::State>(above.state_);
}

void Canceller::cancel() noexcept {
  auto& state = *cancellation_.state_;
  const std::lock_guard lock(state.mutex);
  state.requested = true;
  if (state.event) ::eventfd_write(state.event.get(), 1);
}

void cancel_on_signals() {
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

int cancelling_signal() noexcept {
  return stop_signal.load(std::memory_order_relaxed);
}

}  // namespace sys
