// The one thing oci-solve does.
#include "tools/oci-solve/solve.hpp"

#include <chrono>

#include "common/buildkit/engine.hpp"
#include "common/document/request.hpp"
#include "common/document/result.hpp"
#include "common/native/engine.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace oci_solve {

std::unique_ptr<engine::Engine> make_engine(const Options& options, document::EngineChoice requested) {
  const auto name = options.engine.value_or(std::string(document::to_string(requested)));
  const auto choice = document::parse_engine_choice(name);
  if (choice == document::EngineChoice::automatic || choice == document::EngineChoice::buildkit) {
    return std::make_unique<buildkit::Engine>(std::chrono::seconds(options.start_timeout));
  }
  if (choice == document::EngineChoice::native) return std::make_unique<native::Engine>();
  throw util::Error("engine " + util::quote(name) + " is unknown; use 'native' or 'buildkit'");
}

void run(const Options& options, int in, std::FILE* out) {
  const auto request = document::parse_request(sys::read_to_end(in, "the request on stdin"));
  if (request.debug) util::log::set_level(util::log::Level::debug);
  const auto engine = make_engine(options, request.engine);

  std::optional<sys::TempDir> temporary;
  if (!options.work_dir) temporary.emplace(sys::scratch_directory());
  const auto work_dir = options.work_dir.value_or(temporary ? temporary->path() : std::filesystem::path());
  const auto result = engine->build(request, work_dir);
  std::fprintf(out, "%s\n", document::to_json(result).c_str());
}

}  // namespace oci_solve
