// Files of "name=value" lines: BUILD_ARGS_FILE, LABELS_FILE, ANNOTATIONS_FILE.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/oci-params/named_value.hpp"

namespace params {

// Blank lines are skipped and a CR before the line's end is dropped. The name is everything before the first
// '=', without blanks at its ends; the value everything after it, as it stands. A name may stand twice.
// Throws util::Error "LINE: reason; the fix" for a line without '=' or without a name.
std::vector<NamedValue> parse_key_values(std::string_view text);

}  // namespace params
