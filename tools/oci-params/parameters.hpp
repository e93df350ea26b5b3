// Every parameter of the task, in the order in which people read about them.
#pragma once

#include <span>
#include <string_view>

namespace params {

enum class Kind {
  single,  // one variable of this name
  family,  // every variable whose name starts with it; what follows is a name of the user's own
};

struct Parameter {
  std::string_view name;  // of a family, the prefix: "BUILD_ARG_"
  Kind kind;
  std::string_view description;  // one line
};

std::span<const Parameter> parameters();

}  // namespace params
