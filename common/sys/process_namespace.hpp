// A process namespace of our own, so that nothing we start outlives us.
#pragma once

namespace sys {

// Returns in a child, which is process 1 of a new process namespace: when it ends, however it does, the
// kernel kills everything below it. This process itself never returns: it passes on stop requests and ends as
// the child does, or, when it is killed, has the child stopped by SIGTERM. False, with no child made, where
// namespaces are refused. Called while there are no other threads and stop::install() has been. Throws Error.
bool enter_process_namespace();

}  // namespace sys
