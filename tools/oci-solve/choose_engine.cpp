// The native engine needs less and is faster, so it goes first wherever it can do the job.
#include "tools/oci-solve/choose_engine.hpp"

#include <cerrno>
#include <optional>
#include <system_error>

#include "common/buildkit/engine.hpp"
#include "common/buildkit/programs.hpp"
#include "common/native/engine.hpp"
#include "common/util/error.hpp"

namespace oci_solve {
namespace {

using document::EngineChoice;

using Path = std::filesystem::path;

// What helps where the kernel said that; nothing for all else, which is a matter of rights.
std::optional<std::string> advice_on(const std::error_code& code) {
  if (code == std::errc::no_space_on_device || code == std::error_code(EDQUOT, std::generic_category()))
    return "make room there, or set TMPDIR to a directory that has some";
  if (code == std::errc::read_only_file_system || code == std::errc::no_such_file_or_directory ||
      code == std::errc::not_a_directory)
    return "set TMPDIR or --work-dir to a directory that can be written";
  if (code == std::errc::not_enough_memory || code == std::errc::resource_unavailable_try_again ||
      code == std::errc::too_many_files_open || code == std::errc::too_many_files_open_in_system)
    return "give the task more of it, or run less beside it";
  if (code == std::error_code(EUSERS, std::generic_category())) return "raise that limit";
  if (code == std::errc::io_error) return "look whether the disk fails";
  return std::nullopt;
}

Choice native_choice(const native::Definition& definition, const Path& work_dir, const Settings& settings,
                     const std::string& why = {}) {
  const auto wanted = definition.request().isolation;
  auto isolation = native::enter_isolation(work_dir, native::work_of(definition), wanted);
  const auto passed_over = native::describe(isolation.passed_over);
  const auto description = "native (isolation: " + std::string(to_string(isolation.kind)) +
                           (wanted != document::IsolationChoice::automatic ? ", as asked for" : "") +
                           (passed_over.empty() ? "" : ", " + passed_over) + ")" + why;
  return {
      std::make_unique<native::Engine>(definition, settings.screen, std::move(isolation), settings.state_dir),
      description};
}

Choice buildkit_choice(const document::Request& request, const Path& work_dir, const Settings& settings,
                       const std::string& why) {
  if (request.isolation != document::IsolationChoice::automatic) {
    throw util::Error("ISOLATION=" + std::string(to_string(request.isolation)) +
                      " is for the native engine, and BuildKit is to build, " + why + "; leave it out");
  }
  return {std::make_unique<buildkit::Engine>(request, settings.screen, work_dir, settings.start_timeout),
          "buildkit, " + why};
}

Choice choose_automatically(const native::Definition& definition, const Path& work_dir,
                            const Settings& settings) {
  const auto& request = definition.request();
  if (request.remote) return buildkit_choice(request, work_dir, settings, "because BUILDKIT_HOST names it");
  if (const auto wish = native::left_out(definition))
    return buildkit_choice(request, work_dir, settings, "because the build asks for " + *wish);
  try {
    return native_choice(definition, work_dir, settings);
  } catch (const native::CannotRun& reason) {
    if (const auto other = buildkit::obstacle(request)) {
      const auto advice = advice_on(reason.cause().code);
      throw util::Error("no engine can run here: the native one because " + std::string(reason.what()) +
                        ", BuildKit because " + *other + "; set " +
                        (advice ? "BUILDKIT_HOST to an engine elsewhere, or " + *advice
                                : "'privileged: true' on the task, or BUILDKIT_HOST to an engine elsewhere"));
    }
    return buildkit_choice(request, work_dir, settings,
                           "because the native engine cannot run here: " + std::string(reason.what()));
  }
}

}  // namespace

Choice choose_engine(EngineChoice wanted, const native::Definition& definition, const Path& work_dir,
                     const Settings& settings) {
  switch (wanted) {
    case EngineChoice::automatic:
      return choose_automatically(definition, work_dir, settings);
    case EngineChoice::buildkit:
      return buildkit_choice(definition.request(), work_dir, settings, "as asked for");
    case EngineChoice::native:
      try {
        return native_choice(definition, work_dir, settings, ", as asked for");
      } catch (const native::CannotRun& reason) {
        throw util::Error(
            "the native engine cannot run here: " + std::string(reason.what()) + "; " +
            advice_on(reason.cause().code).value_or("run it as root, in a task with 'privileged: true'"));
      }
  }
  throw util::Error("no such engine");
}

}  // namespace oci_solve
