// Names of archive members and of what goes into a layer: how long they may be.
#pragma once

#include <string>
#include <string_view>

namespace layer {

// Throws util::Error if `path` is longer than Linux can use in one piece (PATH_MAX). This bounds the depth of
// directories, too.
void check_length(std::string_view path);

// The name as sys::clean_path makes it, of a length that check_length takes.
std::string member_path(std::string_view name);

}  // namespace layer
