// Descendants whose parent died: they come to us, so that none outlives us.
#pragma once

namespace sys {

// From now on a descendant whose parent ends becomes a child of this process instead of the system's init.
// Throws Error.
void adopt_orphans();

// Kills (SIGKILL) and reaps every child of this process, again and again until no more come. Called when no
// child of its own is running: all that is left was adopted. Throws Error if one cannot be killed within ten
// seconds.
void kill_children();

}  // namespace sys
