// Finding out what the machine allows by doing it, where nothing can come of it.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace sys {

// Runs `action` in a forked copy of this process, so that the namespaces it enters and the mounts it makes
// end with that. Returns why it failed: the message of the util::Error it threw, or the signal that killed
// it; nothing if it succeeded. Call it before threads exist. Throws util::Error if no process can be started.
std::optional<std::string> why_not(const std::function<void()>& action);

}  // namespace sys
