// Dates as documents of images have them (RFC 3339).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace util {

// A moment, and the offset from UTC that it was given with.
struct Date {
  std::int64_t seconds = 0;  // since 1970
  std::int32_t nanoseconds = 0;
  std::int32_t offset = 0;  // in minutes, east of UTC

  static Date now();

  // "2006-01-02T15:04:05Z", of years 0 to 9999. Throws Error in the words of Go's time.Parse.
  static Date parse(std::string_view text);

  // As Go writes it: "Z" for UTC, as many digits of the fraction as are not zero.
  std::string str() const;

  bool is_after(const Date& other) const noexcept {
    return seconds != other.seconds ? seconds > other.seconds : nanoseconds > other.nanoseconds;
  }
  friend bool operator==(const Date&, const Date&) = default;
};

}  // namespace util
