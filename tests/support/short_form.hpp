// What tables of errors in Dockerfiles have to say of the place.
#pragma once

#include <string>

#include "common/util/text.hpp"

namespace test {

// Of an error its message, then of the lines that are marked, without their margins, the one with the caret
// and the caret, or else all of them.
inline std::string short_form(const std::string& error) {
  constexpr std::size_t margin = 11;  // "   7 | >>> "
  const auto lines = util::split(error, '\n');
  std::string marked;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (i + 1 < lines.size() && lines[i + 1].find_first_not_of(" |^") == std::string::npos)
      return lines[0] + '\n' + lines[i].substr(margin) + '\n' + lines[i + 1].substr(margin);
    if (lines[i].substr(0, margin).ends_with(">>> ")) marked += '\n' + lines[i].substr(margin);
  }
  return lines[0] + marked;
}

}  // namespace test
