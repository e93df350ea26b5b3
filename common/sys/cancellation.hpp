// The one way to call work off before its end: by a signal, because work beside it failed, or because nobody
// wants it any more.
#pragma once

#include <poll.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>

namespace sys {

// Asked by whoever works or waits. Copies ask the same; thread-safe. One made from nothing is that of the
// process: requested by SIGTERM, SIGINT or SIGHUP (cancel_on_signals). Every other has a Canceller, and is
// also requested once the one that it was made below is: a signal reaches them all.
class Cancellation {
public:
  Cancellation() noexcept = default;

  bool requested() const noexcept;

  // Throws util::Error with the cause `cancelled`: of 128 + n after a signal, else "cancelled". Long loops
  // call it between steps.
  void check() const;

  // Readable once it is requested, for poll(2); nobody reads from it. Made by the first call, and open as
  // long as any copy is. -1 for that of the process before cancel_on_signals(). Throws util::Error.
  int fd() const;

  // Waits for `time`, or less and throws like check().
  void sleep(std::chrono::milliseconds time) const;

  // poll(2) for up to seven `events`, at most `limit` long; it may return early with none of them. Throws
  // like check(), also when both have come.
  void wait(std::span<pollfd> events, std::optional<std::chrono::milliseconds> limit = {}) const;

private:
  friend class Canceller;
  struct State;

  std::shared_ptr<State> state_;  // null = that of the process
};

// The right to call off. An owner that goes has called off: nothing is to go on for nobody. A member that is
// declared after the threads it ends is gone before they are waited for.
class Canceller {
public:
  explicit Canceller(const Cancellation& above = {});
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;
  ~Canceller() { cancel(); }

  void cancel() noexcept;
  const Cancellation& cancellation() const noexcept { return cancellation_; }

private:
  Cancellation cancellation_;
};

// Makes SIGTERM, SIGINT and SIGHUP cancel all that the process does, for good. A second signal does nothing
// new: clean-up is never cut short. SIGPIPE is ignored, so that writes report EPIPE. Called once, by
// cli::run_tool, and before there are threads. Children get the default dispositions back (sys::start does
// it).
void cancel_on_signals();

// The signal that has cancelled everything, 0 if none did.
int cancelling_signal() noexcept;

}  // namespace sys
