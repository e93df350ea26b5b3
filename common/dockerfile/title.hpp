// How progress calls a step.
#pragma once

#include <string>

#include "common/dockerfile/expand.hpp"
#include "common/dockerfile/instruction.hpp"

namespace dockerfile {

// The text of the instruction in one line: its keyword in capitals, variables of `environment` filled in, of
// a script in a heredoc the first line. Bytes that a terminal would obey are escaped.
std::string title_of(const Instruction& instruction, const Environment& environment, char escape);

}  // namespace dockerfile
