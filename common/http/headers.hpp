// Header fields of an answer, and the meaning of those that need parsing.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http {

struct Header {
  std::string name;
  std::string value;
};

// The fields in order of arrival; names compare without case (RFC 9110, 5.1).
class Headers {
public:
  void add(std::string_view name, std::string_view value);
  void clear() noexcept { fields_.clear(); }

  // The first field of that name, without blanks around it.
  std::optional<std::string> find(std::string_view name) const;
  std::vector<std::string> find_all(std::string_view name) const;

  const std::vector<Header>& fields() const noexcept { return fields_; }

private:
  std::vector<Header> fields_;
};

// One challenge of a WWW-Authenticate field (RFC 9110, 11.6.1).
struct Challenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case
};

// Every challenge in one field's value. What cannot be one is passed over: servers send many forms, and a
// challenge that is not understood is the same as none.
std::vector<Challenge> parse_challenges(std::string_view value);

// How long a Retry-After field asks to wait, given the time now: a number of seconds or a date; a date in the
// past is zero. Nothing if it is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::system_clock::time_point now);

// The first byte's position of a Content-Range field, "bytes 7-41/42" (RFC 9110, 14.4).
std::optional<std::uint64_t> parse_content_range_start(std::string_view value);

}  // namespace http
