// Durations as Go writes them: "1h2m0.5s".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace dockerfile {

// Throws SyntaxError in the words of Go's time.ParseDuration.
std::chrono::nanoseconds parse_duration(std::string_view text);

// "1m30s", "1.5ms", "0s".
std::string to_string(std::chrono::nanoseconds duration);

}  // namespace dockerfile
