// The environment as a source of parameters.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace params {

// One variable of a family such as BUILD_ARG_*.
struct Member {
  std::string variable;  // "BUILD_ARG_my-arg.x"
  std::string name;      // "my-arg.x"
  std::string value;
};

class Environment {
public:
  // From "NAME=value" strings up to a null pointer. Of a name that stands twice the first counts, as for
  // getenv(3).
  explicit Environment(const char* const* variables);
  explicit Environment(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {}

  // The value without blanks at its ends; nothing if the variable is not set or blank: Concourse sets a
  // parameter that is given no value to the empty string. Throws util::Error if the value is not UTF-8.
  std::optional<std::string> value(const std::string& name) const;

  // The same, with the blanks. For texts in which they count.
  std::optional<std::string> raw_value(const std::string& name) const;

  // True if the variable is set to more than blanks, UTF-8 or not.
  bool is_set(const std::string& name) const;

  // Every variable whose name starts with `prefix`, sorted by name, values as they are. Throws util::Error if
  // a name ends with the prefix, is not UTF-8 or holds control characters.
  std::vector<Member> family(std::string_view prefix) const;

  std::vector<std::string> names() const;  // sorted

private:
  std::map<std::string, std::string> variables_;
};

// Throws util::Error naming the variable if its value is not UTF-8: documents cannot hold it.
void require_utf8(const std::string& variable, std::string_view value);

}  // namespace params
