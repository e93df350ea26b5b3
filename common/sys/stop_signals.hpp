// The signals that ask a program to stop.
#pragma once

#include <csignal>

namespace sys {

// While it lives, SIGINT, SIGTERM and SIGHUP wait; threads and children that are made meanwhile block them
// too.
class StopSignalsBlocked {
public:
  StopSignalsBlocked() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
      sigaddset(&signals, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
  }
  StopSignalsBlocked(const StopSignalsBlocked&) = delete;
  StopSignalsBlocked& operator=(const StopSignalsBlocked&) = delete;
  ~StopSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
  sigset_t before_;
};

}  // namespace sys
