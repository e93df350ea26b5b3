// What every tool's main() ends in: option parsing, the one catch, the exit code.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>

namespace cli {

// Adds --version and -v/--verbose (debug messages), makes --help 80 columns wide, parses argv, lets signals
// cancel (sys::cancel_on_signals) and runs `job`.
//   Returns 0 when `job` returns; stdout is flushed and checked first.
//   --help and --version go to stdout and return 0; wrong usage is one line on stderr with a hint and
//   returns 2. An Error becomes "TOOL: message" on stderr, unless
//   that is empty, and its exit code; anything else that is thrown
//   returns 1.
int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& job);

}  // namespace cli
