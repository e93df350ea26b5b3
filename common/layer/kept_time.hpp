// Which times of archive members their files get.
#pragma once

#include <cstdint>
#include <ctime>
#include <limits>

namespace layer {

// As BuildKit keeps them: a time before 1970, or too late for 64 bits of nanoseconds (in 2262), becomes 1970.
constexpr timespec kept_time(const timespec& time) noexcept {
  constexpr auto latest = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t second = 1'000'000'000;
  const bool is_late =
      time.tv_sec > latest / second || (time.tv_sec == latest / second && time.tv_nsec > latest % second);
  return time.tv_sec < 0 || is_late ? timespec{} : time;
}

}  // namespace layer
