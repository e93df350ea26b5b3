// Stages as child processes.
#include "tools/oci-build/pipeline.hpp"

#include <algorithm>
#include <array>

#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"
#include "tools/oci-digest/run_tool.hpp"
#include "tools/oci-params/run_tool.hpp"
#include "tools/oci-preload/run_tool.hpp"
#include "tools/oci-unpack/run_tool.hpp"

namespace oci_build {

namespace {

struct Inside {
  std::string_view tool;
  sys::Entry entry;
};

// Not among them is oci-solve: it executes itself, and nothing else should be in what it executes.
constexpr std::array<Inside, 4> inside = {{
    {"oci-params", params::run_tool},
    {"oci-preload", oci_preload::run_tool},
    {"oci-digest", oci_digest::run_tool},
    {"oci-unpack", oci_unpack::run_tool},
}};

sys::Command command_of(const std::string& tool) {
  if (const auto entry = entry_of(tool)) return {.argv = {tool}, .entry = entry};
  const auto program = sys::find_sibling(tool);
  if (!program)
    throw util::Error("cannot find the program " + util::quote(tool) + " beside this one or on PATH");
  return {.argv = {program->string()}};
}

}  // namespace

sys::Entry entry_of(std::string_view tool) {
  const auto found =
      std::find_if(inside.begin(), inside.end(), [&](const Inside& entry) { return entry.tool == tool; });
  return found == inside.end() ? nullptr : found->entry;
}

std::string Pipeline::run(const std::string& tool, const std::vector<std::string>& arguments,
                          std::string_view input) {
  auto command = command_of(tool);
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
