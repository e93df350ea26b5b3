// Keeping other processes out of this one.
#pragma once

namespace sys {

// From now on nobody of the same user reads the memory or the variables of this process (/proc/PID/mem,
// environ), opens what it has open (/proc/PID/fd) or traces it, unless he has CAP_SYS_PTRACE; it leaves no
// core dump either. So it is with what it forks, and not with what it executes. Its own /proc/self works as
// before, but belongs to root: nobody else may write a map of ids there any more. Never fails.
void hide_memory() noexcept;

}  // namespace sys
