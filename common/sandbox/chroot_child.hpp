// The child's side of the sandbox of isolation "chroot": two processes, neither of which may touch the heap.
#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

#include "common/sandbox/child.hpp"

namespace sandbox {

// Of the ChildPlan counts what a process needs that enters no namespace: `root` is a descriptor (O_PATH) of
// the directory itself, `argv` are the arguments of the program alone, and nothing is mounted.
struct ChrootPlan {
  ChildPlan child;
  std::vector<char*> programs;              // what is tried in turn; ends in nullptr
  std::span<const sock_filter> network;     // further filters; empty = none
  std::span<const sock_filter> supervised;  // what the supervisor is asked about
  int listener_socket = -1;  // gets the listener of `supervised`, or, without one, a message that has none
  int lifeline = -1;         // a pipe: when its other end closes, all of the step ends
};

// The keeper of a step: outside of the root it starts the process that becomes the step's program, adopts
// what that leaves behind, and ends last of all. It ends as that process did.
[[noreturn]] void run_keeper(ChrootPlan& plan) noexcept;

}  // namespace sandbox
