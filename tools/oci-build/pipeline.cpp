// Stages as child processes.
#include "tools/oci-build/pipeline.hpp"

#include <algorithm>

#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace oci_build {

std::string Pipeline::run(const std::string& tool, const std::vector<std::string>& arguments,
                          std::string_view input) {
  const auto program = sys::find_sibling(tool);
  if (!program)
    throw util::Error("cannot find the program " + util::quote(tool) + " beside this one or on PATH");
  sys::Command command{.argv = {program->string()}};
  if (util::log::shows(util::log::Level::debug)) command.argv.emplace_back("-v");
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());

  const auto begin = std::chrono::steady_clock::now();
  auto captured = util::with_context(tool, [&] { return sys::run_captured(std::move(command), input); });
  if (!captured.status.success()) {
    throw util::Error("stage " + tool + " " + captured.status.describe() + ", nothing was exported",
                      captured.status.as_exit_code());
  }

  const auto duration =
      std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  const auto same =
      std::find_if(stages_.begin(), stages_.end(), [&](const Stage& s) { return s.tool == tool; });
  if (same != stages_.end()) {
    same->duration += duration;
  } else {
    stages_.push_back({tool, duration});
  }
  return std::move(captured.output);
}

}  // namespace oci_build
