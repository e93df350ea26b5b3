// Names of archive members.
#pragma once

#include <string>
#include <string_view>

namespace layer {

// The name as sys::clean_path makes it, of a length that sys::check_length takes.
std::string member_path(std::string_view name);

}  // namespace layer
