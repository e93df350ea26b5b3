// The one thing oci-solve does.
#include "tools/oci-solve/solve.hpp"

#include <algorithm>
#include <chrono>

#include "common/display/graph.hpp"
#include "common/display/screen.hpp"
#include "common/display/summary.hpp"
#include "common/display/terminal_text.hpp"
#include "common/document/read_request.hpp"
#include "common/document/result.hpp"
#include "common/engine/combinations.hpp"
#include "common/sys/file.hpp"
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
  return document::parse_engine_choice("--engine", *options.engine, util::ExitCode::usage);
}

document::IsolationChoice wanted_isolation(const std::string& word) {
  return document::parse_isolation_choice("--isolation", word, util::ExitCode::usage);
}

display::Mode wanted_mode(const Options& options, const document::Request& request) {
  if (!options.progress) return display::mode_of(request.progress);
  return display::mode_of(
      document::parse_progress_choice("--progress", *options.progress, util::ExitCode::usage));
}

std::optional<std::filesystem::path> wanted_graph(const Options& options, const document::Request& request) {
  auto graph = options.graph ? options.graph : request.graph;
  if (graph) display::graph_for(graph->string(), {});  // a name that will not do is no reason to build first
  return graph;
}

void write_graph(const std::optional<std::filesystem::path>& file, const display::Screen& screen) {
  if (!file) return;
  sys::write_file(*file, display::graph_for(file->string(), display::graph_of(screen.parts())));
  util::log::info("the steps are shown in " + util::quote(file->string()));
}

// The steps of a plan are, in this order, among what the screen was told of.
void add_forecasts(const document::Plan& plan, display::Screen& screen) {
  if (screen.parts().empty()) return;
  auto& board = screen.parts().back();
  const auto work = board.work();
  auto next = work.begin();
  for (const auto& step : plan.steps) {
    const auto found = std::find_if(next, work.end(), [&](const display::Work* one) {
      return !one->started && one->name == display::printable(step.title);
    });
    if (found == work.end()) continue;
    board.at((*found)->digest).forecast = outcome_text(step);
    next = std::next(found);
  }
}

document::Result build(engine::Engine& engine, const std::optional<std::filesystem::path>& graph,
                       const display::Screen& screen) {
  try {
    auto result = engine.build();
    write_graph(graph, screen);
    return result;
  } catch (const util::Error&) {
    // Where it failed is what people want to see.
    try {
      write_graph(graph, screen);
    } catch (const util::Error& error) {
      util::log::warning("the steps are not shown: " + std::string(error.what()));
    }
    throw;
  }
}

}  // namespace

void run(const Options& options, std::FILE* out) {
  auto request = document::read_request();
  if (request.debug) util::log::set_level(util::log::Level::debug);
  const auto wanted = wanted_engine(options, request);
  if (options.isolation) request.isolation = wanted_isolation(*options.isolation);
  const auto graph = wanted_graph(options, request);
  const auto mode = wanted_mode(options, request);
  // Of a plan nothing is shown but itself.
  display::Screen screen(
      options.plan ? display::Screen::Options{.mode = display::Mode::quiet, .write = [](std::string_view) {}}
                   : display::Screen::Options{.mode = mode});
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
    add_forecasts(*plan, screen);
    write_graph(graph, screen);
    const auto shown = options.json ? to_json(*plan) + "\n" : to_text(*plan);
    std::fputs(shown.c_str(), out);
    return;
  }
  const auto result = build(*choice.engine, graph, screen);
  if (screen.mode() == display::Mode::plain || screen.mode() == display::Mode::tty)
    util::log::info(display::summary(screen.parts()));
  std::fprintf(out, "%s\n", document::to_json(result).c_str());
}

}  // namespace oci_solve
