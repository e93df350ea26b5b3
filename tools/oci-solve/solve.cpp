// The one thing oci-solve does.
#include "tools/oci-solve/solve.hpp"

#include <chrono>

#include "common/display/screen.hpp"
#include "common/display/summary.hpp"
#include "common/document/read_request.hpp"
#include "common/document/result.hpp"
#include "common/engine/combinations.hpp"
#include "common/sys/proc.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/work_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"
#include "tools/oci-solve/choose_engine.hpp"
#include "tools/oci-solve/linked_dockerfile.hpp"
#include "tools/oci-solve/unused_images.hpp"

namespace oci_solve {
namespace {

document::EngineChoice wanted_engine(const Options& options, const document::Request& request) {
  if (!options.engine) return request.engine;
  if (const auto choice = document::parse_engine_choice(*options.engine)) return *choice;
  throw util::Error("--engine: " + util::quote(*options.engine) + " is none of 'auto', 'buildkit', 'native'",
                    util::ExitCode::usage);
}

document::IsolationChoice wanted_isolation(const std::string& word) {
  if (const auto choice = document::parse_isolation_choice(word)) return *choice;
  throw util::Error(
      "--isolation: " + util::quote(word) + " is none of 'auto', 'namespaces', 'userns', 'chroot', 'copies'",
      util::ExitCode::usage);
}

display::Mode wanted_mode(const Options& options, const document::Request& request) {
  if (!options.progress) return display::mode_of(request.progress);
  if (const auto choice = document::parse_progress_choice(*options.progress))
    return display::mode_of(*choice);
  throw util::Error("--progress: " + util::quote(*options.progress) +
                        " is none of 'auto', 'plain', 'tty', 'quiet', 'rawjson'",
                    util::ExitCode::usage);
}

}  // namespace

void run(const Options& options, std::FILE* out) {
  auto request = document::read_request();
  if (request.debug) util::log::set_level(util::log::Level::debug);
  const auto wanted = wanted_engine(options, request);
  if (options.isolation) request.isolation = wanted_isolation(*options.isolation);
  display::Screen screen({.mode = wanted_mode(options, request)});
  engine::check_combinations(request);
  sys::require_proc();

  std::optional<sys::WorkDir> temporary;
  if (!options.work_dir) temporary.emplace(sys::scratch_directory());
  const auto work_dir = options.work_dir.value_or(temporary ? temporary->path() : std::filesystem::path());
  const auto copies = copy_linked_dockerfile(request, work_dir);
  const native::Definition definition(request);
  const auto choice = choose_engine(wanted, definition, work_dir,
                                    {.screen = screen,
                                     .state_dir = options.state_dir,
                                     .start_timeout = std::chrono::seconds(options.start_timeout)});
  util::log::info("engine: " + choice.description);
  for (const auto& warning : warnings_of_unused_images(definition))
    util::log::warning(warning);
  if (options.plan) {
    const auto plan = choice.engine->plan();
    if (!plan)
      throw util::Error("--plan: only the native engine tells what would run, and the engine is " +
                        choice.description);
    const auto shown = options.json ? to_json(*plan) + "\n" : to_text(*plan);
    std::fputs(shown.c_str(), out);
    return;
  }
  const auto result = choice.engine->build();
  if (screen.mode() == display::Mode::plain || screen.mode() == display::Mode::tty)
    util::log::info(display::summary(screen.parts()));
  std::fprintf(out, "%s\n", document::to_json(result).c_str());
}

}  // namespace oci_solve
