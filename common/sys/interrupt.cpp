// Waits that a signal or a stop token ends.
#include "common/sys/interrupt.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "common/sys/stop.hpp"
#include "common/util/error.hpp"

namespace sys {
namespace {

UniqueFd make_event() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) util::throw_errno("cannot make an eventfd");
  return fd;
}

}  // namespace

Interrupt::Interrupt(std::stop_token cancel)
    : cancel_(std::move(cancel)), event_(make_event()), on_cancel_(cancel_, [this] {
        // Never read, so it stays readable. A counter that is full would be readable already.
        [[maybe_unused]] const int ignored = ::eventfd_write(event_.get(), 1);
      }) {}

void Interrupt::check() const {
  stop::check(cancel_);
}

void Interrupt::sleep(std::chrono::milliseconds time) const {
  using namespace std::chrono;
  const auto end = steady_clock::now() + time;
  for (;;) {
    check();
    const auto left = ceil<milliseconds>(end - steady_clock::now());
    if (left <= milliseconds(0)) return;
    pollfd events[2] = {{cancel_fd(), POLLIN, 0}, {stop::fd(), POLLIN, 0}};
    ::poll(events, 2, static_cast<int>(std::min<milliseconds>(left, hours(1)).count()));
  }
}

}  // namespace sys
