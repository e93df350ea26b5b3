// Slash-separated paths as Go's package path sees them: by text alone.
#pragma once

#include <string>
#include <string_view>

namespace dockerfile {

// The shortest equal path: no "//", no ".", no ".." that can be resolved, no slash at the end but "/"; "."
// for nothing.
std::string clean_path(std::string_view path);

// `path` below `directory`, cleaned; `path` alone if `directory` is empty, and the other way round.
std::string join_path(std::string_view directory, std::string_view path);

// The last element; "." for nothing, "/" for slashes alone.
std::string base_name(std::string_view path);

}  // namespace dockerfile
