// An entry of a file of names and values, with the place it came from.
#pragma once

#include <string>

namespace params {

struct NamedValue {
  std::string name;
  std::string value;
  std::size_t line = 0;  // counted from 1
};

}  // namespace params
