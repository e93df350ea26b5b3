// The small grammars that values are written in: booleans, words, lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/oci-params/environment.hpp"

namespace params {

// A boolean as Go's strconv.ParseBool takes it: 1 t T true True TRUE, 0 f F false False FALSE. Not set gives
// nothing. Throws util::Error naming the parameter for anything else.
std::optional<bool> read_boolean(const Environment& environment, const std::string& name);

// The pieces between any of `separators`, without blanks at their ends, the empty ones left out.
std::vector<std::string> split_list(std::string_view text, std::string_view separators);

// "NAME=VALUE" at its first '=', both without blanks at their ends; nothing if there is no '=', or nothing
// before it.
std::optional<std::pair<std::string, std::string>> split_pair(std::string_view text);

}  // namespace params
