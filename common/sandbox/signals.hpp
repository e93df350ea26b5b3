// kill(2) of a step that has no process namespace.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "common/sandbox/answers.hpp"

namespace sandbox {

// What kill(2) with these arguments gives to a thread. It would reach all processes of a user, ours too, so
// that the supervisor sends to all at once itself, and the kernel to one, or to a group, if it is the step's.
Answer answer_signal(pid_t thread, const std::uint64_t* arguments, const SupervisedRoot& root);

}  // namespace sandbox
