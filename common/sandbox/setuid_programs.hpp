// Programs by which a step's user becomes another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/sandbox/sandbox.hpp"

namespace sandbox {

// The words of a step's arguments that stand where a shell takes a word for a command.
std::vector<std::string> command_words(const std::vector<std::string>& args);

// The path of the first program that the step calls by such a word to become another user: sudo, su, doas,
// pkexec, where it is setuid. Empty if there is none. What a script calls that the step runs is not known.
std::string named_setuid_program(const Spec& spec, const std::vector<std::string>& env);

}  // namespace sandbox
