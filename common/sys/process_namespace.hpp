// A process namespace of our own, so that nothing we start outlives us.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace sys {

// Returns nothing in a child, which is process 1 of a new process namespace and has run `prepare` there: when
// it ends, however it does, the kernel kills everything below it. This process itself does not return then:
// it passes on signals that cancel and ends as the child does, or, when it is killed, has the child stopped
// by SIGTERM. Where namespaces are refused or `prepare` throws, no child is left, and this process gets the
// reason. Called while there are no other threads and cancel_on_signals() has been. Throws Error where a
// process cannot be made.
std::optional<std::string> enter_process_namespace(const std::function<void()>& prepare);

}  // namespace sys
