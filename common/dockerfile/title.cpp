// Titles in BuildKit's form.
#include "common/dockerfile/title.hpp"

#include "common/dockerfile/execution.hpp"
#include "common/dockerfile/text.hpp"
#include "common/util/text.hpp"

namespace dockerfile {
namespace {

std::string first_line(std::string_view script) {
  script = util::trim(script);
  const auto end = script.find_first_of("\r\n");
  return std::string(script.substr(0, end)) + (end == std::string_view::npos ? "" : "...");
}

}  // namespace

std::string title_of(const Instruction& instruction, const Environment& environment, char escape) {
  const auto& code = origin(instruction).code;
  const auto* run = std::get_if<Run>(&instruction);
  std::string title = code;
  if (run != nullptr && is_script(run->command))
    title += " (" + first_line(run->command.heredocs.front().body) + ")";
  try {
    // What a shell is to see keeps its quotes and the variables that are the shell's own.
    ExpandOptions options;
    options.escape = escape;
    options.keep_quotes = run != nullptr;
    options.keep_unset = run != nullptr;
    title = expand(title, environment, options).text;
  } catch (const SyntaxError&) {
    // Then it stays as written: no words for a shell have to be words here.
  }
  const auto keyword = std::min(title.find(' '), title.size());
  return harmless(upper(title.substr(0, keyword)) + title.substr(keyword));
}

}  // namespace dockerfile
