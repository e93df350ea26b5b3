// What may end a wait before its time: a signal that asks to stop, or the caller's stop token.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "common/sys/fd.hpp"

namespace sys {

class Interrupt {
public:
  explicit Interrupt(std::stop_token cancel);
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Readable when the token asks to stop.
  int cancel_fd() const noexcept { return event_.get(); }

  // Throws util::Error: 128 + n after a signal, else "cancelled".
  void check() const;
  // Waits for `time`, or less and throws like check().
  void sleep(std::chrono::milliseconds time) const;

private:
  std::stop_token cancel_;
  UniqueFd event_;
  std::stop_callback<std::function<void()>> on_cancel_;
};

}  // namespace sys
