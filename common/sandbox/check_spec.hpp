// What the kernel cannot be told of a step.
#pragma once

#include "common/sandbox/sandbox.hpp"

namespace sandbox {

// Throws StartError for the first text that holds a NUL byte: the kernel would take what stands before it,
// and a step would run that nobody wrote.
void refuse_nul_bytes(const Spec& spec);

}  // namespace sandbox
