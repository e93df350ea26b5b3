// Commands as they are executed.
#include "common/dockerfile/execution.hpp"

#include <utility>

#include "common/dockerfile/paths.hpp"
#include "common/util/text.hpp"

namespace dockerfile {
namespace {

std::vector<std::string> default_shell() {
  return {"/bin/sh", "-c"};
}

bool is_heredoc(const std::string& text) {
  try {
    return parse_heredoc(text).has_value();
  } catch (const SyntaxError&) {
    return false;  // it is for the shell to say what is wrong
  }
}

}  // namespace

bool is_script(const CommandLine& command) {
  return command.shell_form && !command.heredocs.empty() && is_heredoc(util::join(command.words, " "));
}

Execution execution_of(const CommandLine& command, const std::vector<std::string>& shell) {
  if (!command.shell_form) return {command.words, std::nullopt};
  Execution execution;
  std::string text = util::join(command.words, " ");
  if (!command.heredocs.empty()) {
    const Heredoc& first = command.heredocs.front();
    if (!is_script(command)) {
      for (const auto& heredoc : command.heredocs)
        text += '\n' + heredoc.body + heredoc.name;
    } else if (first.content().starts_with("#!")) {
      execution.script = InlineFile{first.name, first.content(), false};
      text = join_path("/dev/pipes", first.name);
    } else {
      text = first.content();
    }
  }
  execution.arguments = shell.empty() ? default_shell() : shell;
  execution.arguments.push_back(std::move(text));
  return execution;
}

}  // namespace dockerfile
