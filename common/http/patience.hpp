// How long a server may take for one answer. Private to this library.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace http {

// The slowest download that is waited for, as a mean over periods of waiting: an average over shorter times
// would be kept up by a burst now and then. Only time spent waiting for the server counts: not that of a slow
// disk, nor that during which the machine slept.
class Floor {
public:
  Floor(std::chrono::milliseconds period, long bytes_a_second)
      : period_(period),
        wanted_(
            std::max<std::uint64_t>(1, static_cast<std::uint64_t>(period.count()) * bytes_a_second / 1000)) {}

  void receive(std::uint64_t bytes) noexcept { received_ += bytes; }

  // False once a whole period brought too little.
  bool wait(std::chrono::milliseconds time) noexcept {
    waited_ += time;
    if (waited_ < period_) return true;
    const bool enough = received_ >= wanted_;
    waited_ = {};
    received_ = 0;
    return enough;
  }

private:
  std::chrono::milliseconds period_;
  std::uint64_t wanted_;
  std::chrono::milliseconds waited_{0};
  std::uint64_t received_ = 0;
};

// Points in time at which an exchange has taken too long.
struct Deadlines {
  using Time = std::chrono::steady_clock::time_point;
  Time head = Time::max();   // for the beginning of a 2xx answer's body, or all of another answer
  Time whole = Time::max();  // for the end of the answer
};

}  // namespace http
