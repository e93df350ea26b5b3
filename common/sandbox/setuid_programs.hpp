// Programs that run with the rights of their owner.
#pragma once

#include <string>
#include <vector>

#include "common/sandbox/sandbox.hpp"

namespace sandbox {

// The first word of a step's arguments that names such a program (setuid or setgid, or with capabilities) as
// a path or on PATH, as that path; empty if none does. A guess, from the outside, of what the step will run.
std::string named_setuid_program(const Spec& spec, const std::vector<std::string>& env);

}  // namespace sandbox
