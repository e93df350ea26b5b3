// The native engine needs less and is faster, so it goes first wherever it can do the job.
#include "tools/oci-solve/choose_engine.hpp"

#include "common/buildkit/programs.hpp"
#include "common/native/engine.hpp"
#include "common/util/error.hpp"

namespace oci_solve {
namespace {

using document::EngineChoice;

constexpr auto native_description = "native (isolation: namespaces)";

Choice choose_automatically(const document::Request& request, const std::filesystem::path& work_dir) {
  if (request.remote) return {EngineChoice::buildkit, "buildkit, because BUILDKIT_HOST names it"};
  if (const auto wish = native::left_out(request))
    return {EngineChoice::buildkit, "buildkit, because the build asks for " + *wish};
  const auto reason = native::obstacle(work_dir);
  if (!reason) return {EngineChoice::native, native_description};
  if (const auto other = buildkit::obstacle(request)) {
    throw util::Error("no engine can run here: the native one because " + *reason + ", BuildKit because " +
                      *other +
                      "; set 'privileged: true' on the task, or BUILDKIT_HOST to an engine elsewhere");
  }
  return {EngineChoice::buildkit, "buildkit, because the native engine cannot run here: " + *reason};
}

}  // namespace

Choice choose_engine(EngineChoice wanted, const document::Request& request,
                     const std::filesystem::path& work_dir) {
  switch (wanted) {
    case EngineChoice::automatic:
      return choose_automatically(request, work_dir);
    case EngineChoice::buildkit:
      return {EngineChoice::buildkit, "buildkit, as asked for"};
    case EngineChoice::native:
      // What it leaves out it refuses itself: it can show the place in the Dockerfile.
      if (const auto reason = native::left_out(request) ? std::nullopt : native::obstacle(work_dir)) {
        throw util::Error("the native engine cannot run here: " + *reason +
                          "; run it as root, in a task with 'privileged: true'");
      }
      return {EngineChoice::native, std::string(native_description) + ", as asked for"};
  }
  throw util::Error("no such engine");
}

}  // namespace oci_solve
