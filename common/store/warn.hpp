// How the store tells of damage that costs time but fails nothing.
#pragma once

#include <functional>
#include <string>

namespace store {

using Warn = std::function<void(const std::string& message)>;

// A Warn that is util::log::warning.
void warn_on_stderr(const std::string& message);

}  // namespace store
