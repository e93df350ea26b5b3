// Attributes in BuildKit's words.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace document {

// One record of CSV, each of its fields NAME=VALUE: type=local,"src=a,b".
class Attributes {
public:
  Attributes() = default;  // none

  // "" is none. A field without '=' has an empty value. Throws util::Error that shows nothing of the text,
  // for values may be keys.
  static Attributes parse(std::string_view text);

  // The value of `name`; nothing if it is not there. The last one counts, as in BuildKit.
  std::optional<std::string> value(std::string_view name) const;
  // All of them, so read.
  std::map<std::string, std::string> values() const;

  // What parse() reads: as it was written, but for quotes that are not needed.
  std::string str() const;

  friend bool operator==(const Attributes&, const Attributes&) = default;

private:
  std::vector<std::string> fields_;
};

}  // namespace document
