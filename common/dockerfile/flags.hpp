// The "--name=value" words in front of an instruction's arguments.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockerfile {

class Flags {
public:
  enum class Kind { boolean, text, list };
  struct Known {
    std::string_view name;
    Kind kind;
  };

  // Judges the flags of one instruction: throws SyntaxError for one that is unknown, lacks its value, stands
  // twice without being a list, or is no boolean where it must be.
  Flags(const std::vector<Known>& known, const std::vector<std::string>& given);

  // Empty if the flag is not given.
  std::string text(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  // Nothing if the flag is not given.
  std::optional<bool> boolean(std::string_view name) const;

private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace dockerfile
