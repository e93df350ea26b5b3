// Files that are a flat YAML map of names and texts: BUILD_ARGS_FILE with the ending .yml or .yaml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/oci-params/named_value.hpp"

namespace params {

// Numbers and booleans are taken as they are written, null as the empty text; one trailing newline of a block
// text is dropped. An empty file holds nothing. Throws util::Error "LINE: reason; the fix" for anything that
// is no map, a value that is no scalar, a key that stands twice, several documents, or a syntax error.
std::vector<NamedValue> parse_yaml_map(std::string_view text);

}  // namespace params
