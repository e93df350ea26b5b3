// Where the programs are, and whether they are all there.
#include "common/buildkit/programs.hpp"

#include <unistd.h>

#include <vector>

#include "common/sys/mounts.hpp"
#include "common/sys/process.hpp"
#include "common/sys/trial.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace buildkit {
namespace {

// What BuildKit calls its own copy of runc goes first, as in BuildKit itself.
constexpr auto own_runtime = "buildkit-runc";

std::vector<std::string> missing_programs(const document::Request& request) {
  std::vector<std::string> missing;
  const auto want = [&](const std::string& name) {
    if (!sys::find_sibling(name)) missing.push_back(util::quote(name));
  };
  want("buildctl");
  if (request.remote) return missing;
  want("buildkitd");
  if (!sys::find_sibling(own_runtime)) want("runc");
  if (::geteuid() != 0 && !sys::find_program("rootlesskit")) missing.push_back(util::quote("rootlesskit"));
  return missing;
}

}  // namespace

std::filesystem::path find_part(const std::string& name) {
  if (const auto found = sys::find_sibling(name)) return *found;
  throw util::Error(
      "the program " + util::quote(name) +
      " is missing: it is neither beside this one nor on PATH; install BuildKit and runc, or set "
      "BUILDKIT_HOST to an engine elsewhere");
}

std::filesystem::path find_runtime() {
  if (const auto found = sys::find_sibling(own_runtime)) return *found;
  return find_part("runc");
}

std::filesystem::path find_rootlesskit() {
  if (const auto found = sys::find_program("rootlesskit")) return *found;
  throw util::Error(
      "BuildKit needs root here: without it the program 'rootlesskit' must be installed; run the task as "
      "root, "
      "install rootlesskit and uidmap, or set BUILDKIT_HOST to an engine elsewhere");
}

std::optional<std::string> obstacle(const document::Request& request) {
  if (const auto missing = missing_programs(request); !missing.empty())
    return util::join(missing, " and ") + (missing.size() > 1 ? " are" : " is") + " not installed";
  if (request.remote || ::geteuid() != 0) return std::nullopt;
  return sys::why_not([] {
    if (!sys::enter_private_mounts()) throw util::Error("this container may not mount anything");
  });
}

}  // namespace buildkit
