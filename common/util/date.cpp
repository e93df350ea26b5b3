// Reading and writing of dates, with the words of Go's time package for what is none.
#include "common/util/date.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>

#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace util {
namespace {

using namespace std::chrono;

class DateReader {
public:
  explicit DateReader(std::string_view text) : text_(text), rest_(text) {}

  Date read() {
    const int year = number(4, "2006");
    literal('-');
    const int month = number(2, "01", 1, 12);
    literal('-');
    const int day = number(2, "02", 1, 31);
    literal('T');
    const int hour = number(2, "15", 0, 23);
    literal(':');
    const int minute = number(2, "04", 0, 59);
    literal(':');
    const int second = number(2, "05", 0, 59);
    Date date;
    date.nanoseconds = fraction();
    date.offset = zone();
    if (!rest_.empty()) fail(": extra text: " + in_quotes(rest_));
    const year_month_day days(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day)));
    if (!days.ok()) fail(": day out of range");
    date.seconds = duration_cast<seconds>(sys_days(days).time_since_epoch()).count() + hour * 3600 +
                   minute * 60 + second - date.offset * 60;
    return date;
  }

private:
  static std::string in_quotes(std::string_view text) { return "\"" + escape(text) + "\""; }

  [[noreturn]] void fail(const std::string& reason) const {
    throw Error("parsing time " + in_quotes(text_) + reason);
  }

  [[noreturn]] void fail_at(std::string_view element) const {
    fail(" as \"2006-01-02T15:04:05Z07:00\": cannot parse " + in_quotes(rest_) + " as " + in_quotes(element));
  }

  std::optional<int> digits(std::size_t count) const {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (!is_digit(c)) return std::nullopt;
      value = 10 * value + (c - '0');
    }
    return value;
  }

  int number(std::size_t count, std::string_view element, int least = 0, int most = 9999) {
    const auto value = digits(count);
    if (!value) fail_at(element);
    if (*value < least || *value > most) {
      fail(element == "01"   ? ": month out of range"
           : element == "02" ? ": day out of range"
           : element == "15" ? ": hour out of range"
           : element == "04" ? ": minute out of range"
                             : ": second out of range");
    }
    rest_.remove_prefix(count);
    return *value;
  }

  void literal(char c) {
    if (!rest_.starts_with(c)) fail_at(std::string_view(&c, 1));
    rest_.remove_prefix(1);
  }

  int fraction() {
    if (rest_.size() < 2 || rest_.front() != '.' || !is_digit(rest_[1])) return 0;
    rest_.remove_prefix(1);
    int value = 0;
    for (int place = 100'000'000; !rest_.empty() && is_digit(rest_.front()); place /= 10) {
      value += (rest_.front() - '0') * place;
      rest_.remove_prefix(1);
    }
    return value;
  }

  int zone() {
    if (rest_.starts_with('Z')) {
      rest_.remove_prefix(1);
      return 0;
    }
    constexpr std::string_view element = "Z07:00";
    const auto whole = rest_;
    if (!rest_.starts_with('+') && !rest_.starts_with('-')) fail_at(element);
    const int sign = rest_.front() == '-' ? -1 : 1;
    rest_.remove_prefix(1);
    const auto hours = digits(2);
    const bool colon = rest_.size() > 2 && rest_[2] == ':';
    rest_.remove_prefix(std::min<std::size_t>(rest_.size(), 3));
    const auto minutes = digits(2);
    if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) {
      rest_ = whole;
      fail_at(element);
    }
    rest_.remove_prefix(2);
    return sign * (*hours * 60 + *minutes);
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

Date Date::now() {
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return {.seconds = now.tv_sec, .nanoseconds = static_cast<std::int32_t>(now.tv_nsec)};
}

Date Date::parse(std::string_view text) {
  return DateReader(text).read();
}

std::string Date::str() const {
  const sys_seconds local(std::chrono::seconds(seconds + offset * 60));
  const auto day = floor<days>(local);
  const year_month_day date(day);
  const hh_mm_ss time(local - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  std::string result = text;
  if (nanoseconds != 0) {
    std::snprintf(text, sizeof text, ".%09d", static_cast<int>(nanoseconds));
    result += text;
    result.erase(result.find_last_not_of('0') + 1);
  }
  if (offset == 0) return result + "Z";
  const int minutes = offset < 0 ? -offset : offset;
  std::snprintf(text, sizeof text, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return result + text;
}

}  // namespace util
