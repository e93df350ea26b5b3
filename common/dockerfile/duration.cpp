// Reading and printing of durations.
#include "common/dockerfile/duration.hpp"

#include <cstdint>
#include <optional>

#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

constexpr std::uint64_t limit = std::uint64_t{1} << 63;

std::optional<std::uint64_t> unit_of(std::string_view name) {
  if (name == "ns") return 1;
  // Both micro signs: U+00B5 and the Greek letter U+03BC.
  if (name == "us" || name == "\xC2\xB5s" || name == "\xCE\xBCs") return 1000;
  if (name == "ms") return 1000000;
  if (name == "s") return 1000000000;
  if (name == "m") return 60 * std::uint64_t{1000000000};
  if (name == "h") return 3600 * std::uint64_t{1000000000};
  return std::nullopt;
}

bool is_ascii_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

// Takes the digits at the start of `text`; nothing if their number does not fit.
std::optional<std::uint64_t> take_integer(std::string_view& text) {
  std::uint64_t value = 0;
  while (!text.empty() && is_ascii_digit(text.front())) {
    if (value > limit / 10) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (value > limit) return std::nullopt;
    text.remove_prefix(1);
  }
  return value;
}

struct Fraction {
  std::uint64_t value = 0;
  double scale = 1;
};

// Digits that no longer fit are passed over: they are far below a nanosecond.
Fraction take_fraction(std::string_view& text) {
  Fraction fraction;
  bool full = false;
  for (; !text.empty() && is_ascii_digit(text.front()); text.remove_prefix(1)) {
    if (full || fraction.value > (limit - 1) / 10) {
      full = true;
      continue;
    }
    fraction.value = fraction.value * 10 + static_cast<std::uint64_t>(text.front() - '0');
    fraction.scale *= 10;
  }
  return fraction;
}

std::uint64_t parse_amount(std::string_view text, const SyntaxError& invalid, const std::string& original) {
  std::uint64_t total = 0;
  while (!text.empty()) {
    if (text.front() != '.' && !is_ascii_digit(text.front())) throw invalid;
    const std::size_t before = text.size();
    const auto whole = take_integer(text);
    if (!whole) throw invalid;
    bool has_digits = text.size() != before;
    Fraction fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      const std::size_t digits = text.size();
      fraction = take_fraction(text);
      has_digits = has_digits || text.size() != digits;
    }
    if (!has_digits) throw invalid;

    std::size_t end = 0;
    while (end < text.size() && text[end] != '.' && !is_ascii_digit(text[end]))
      ++end;
    if (end == 0) throw SyntaxError("time: missing unit in duration " + in_quotes(original), original);
    const auto unit = unit_of(text.substr(0, end));
    if (!unit) {
      throw SyntaxError(
          "time: unknown unit " + in_quotes(text.substr(0, end)) + " in duration " + in_quotes(original),
          original);
    }
    text.remove_prefix(end);
    if (*whole > limit / *unit) throw invalid;
    std::uint64_t amount = *whole * *unit;
    if (fraction.value > 0) {
      amount += static_cast<std::uint64_t>(static_cast<double>(fraction.value) *
                                           (static_cast<double>(*unit) / fraction.scale));
      if (amount > limit) throw invalid;
    }
    total += amount;
    if (total > limit) throw invalid;
  }
  return total;
}

// "1.5" for 1500 with 3 decimals.
std::string decimal(std::uint64_t value, int decimals) {
  std::string digits = std::to_string(value);
  const auto width = static_cast<std::size_t>(decimals);
  if (digits.size() <= width) digits.insert(0, width + 1 - digits.size(), '0');
  std::string fraction = digits.substr(digits.size() - width);
  while (!fraction.empty() && fraction.back() == '0')
    fraction.pop_back();
  digits.resize(digits.size() - width);
  return fraction.empty() ? digits : digits + '.' + fraction;
}

}  // namespace

std::chrono::nanoseconds parse_duration(std::string_view text) {
  const std::string original(text);
  const SyntaxError invalid("time: invalid duration " + in_quotes(original), original);
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) throw invalid;
  const std::uint64_t total = parse_amount(text, invalid, original);
  if (negative) return std::chrono::nanoseconds(static_cast<std::int64_t>(0 - total));
  if (total > limit - 1) throw invalid;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

std::string to_string(std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  const std::string sign = count < 0 ? "-" : "";
  const std::uint64_t value =
      count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  if (value < 1000) return sign + std::to_string(value) + "ns";
  if (value < 1000000) return sign + decimal(value, 3) + "\xC2\xB5s";
  if (value < 1000000000) return sign + decimal(value, 6) + "ms";
  const std::uint64_t minutes = value / 1000000000 / 60;
  std::string text = decimal(value - minutes * 60 * 1000000000, 9) + "s";
  if (minutes > 0) text = std::to_string(minutes % 60) + "m" + text;
  if (minutes >= 60) text = std::to_string(minutes / 60) + "h" + text;
  return sign + text;
}

}  // namespace dockerfile
