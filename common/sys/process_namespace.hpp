// A process namespace of our own, so that nothing we start outlives us.
#pragma once

#include <functional>
#include <optional>

#include "common/util/error.hpp"

namespace sys {

// Returns nothing in a child, which is process 1 of a new process namespace and has run `prepare` there: when
// it ends, however it does, the kernel kills everything below it. This process itself does not return then:
// it passes on signals that cancel and ends as the child does, which it kills ten seconds after such a
// signal, or three if its own parent is gone. When it is killed, the child gets SIGTERM and ends three
// seconds later at the latest, whatever it does. Where namespaces are refused or `prepare` throws, no child
// is left, and this process gets the reason. Called while there are no other threads and cancel_on_signals()
// has been. Throws Error where a process cannot be made; the reason where this process can make none any
// more, as there is no way back out of the namespace.
std::optional<util::Error> enter_process_namespace(const std::function<void()>& prepare);

}  // namespace sys
