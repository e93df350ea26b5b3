// Sets of capabilities: bit n stands for capability n.
#pragma once

#include <cstdint>

namespace sandbox {

// What containers have by default in the field (moby, containerd).
std::uint64_t default_capabilities();

// All that this process has: more cannot be given on. Throws util::Error.
std::uint64_t own_capabilities();

}  // namespace sandbox
