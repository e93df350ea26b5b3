// What the shell form and the heredocs of a command come to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/dockerfile/instruction.hpp"

namespace dockerfile {

struct Execution {
  std::vector<std::string> arguments;
  std::optional<InlineFile> script;  // to be mounted at /dev/pipes/NAME, mode 0755
};

// True for a command that is a heredoc and nothing else.
bool is_script(const CommandLine& command);

// The arguments of a command; `shell` is that of SHELL, empty for the default. Heredocs are worked in: one
// alone is the script itself, or, if it starts with "#!", a file for the shell to start; else the shell gets
// the line and the bodies as they stand.
Execution execution_of(const CommandLine& command, const std::vector<std::string>& shell);

}  // namespace dockerfile
