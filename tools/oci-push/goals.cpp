// From arguments to references and settings.
#include "tools/oci-push/goals.hpp"

#include <cstdlib>

#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_push {

namespace fs = std::filesystem;

Goal parse_goal(const std::string& text) {
  const auto fail = [&](const std::string& reason) -> util::Error {
    return util::Error(util::quote(text) + " " + reason, util::ExitCode::usage);
  };
  if (text.find("://") != std::string::npos)
    throw fail("is a URL; give the name alone, as in 'registry.example/team/app:1.0'");
  auto reference = image::Reference::parse(text);
  if (!reference) throw fail("is no name of an image; expected one like 'registry.example/team/app:1.0'");
  Goal goal{text.substr(0, text.find('@')), *reference};
  if (!reference->digest.empty()) {
    try {
      goal.digest = hash::Digest::parse(reference->digest);
    } catch (const util::Error&) {
      throw fail("has a digest that is none of sha256");
    }
    goal.reference.digest.clear();
  } else if (goal.reference.tag.empty()) {
    goal.reference.tag = "latest";
  }
  return goal;
}

registry::Settings settings_for(const std::vector<Goal>& goals, const Reach& reach,
                                const std::optional<fs::path>& docker_config) {
  registry::Settings settings;
  settings.docker_config = docker_config;
  settings.trust_advice = "give the certificate of its authority by --ca";
  settings.limit_advice = "log in by DOCKER_CONFIG, or try again later";
  for (const auto& goal : goals) {
    auto& host = settings.hosts[goal.reference.domain];
    host.ca = reach.ca;
    host.insecure = reach.insecure;
    if (reach.plain_http) host.plain_http = true;
    if (!reach.ca.empty()) host.plain_http = false;  // also on this machine, where it is the default
  }
  return settings;
}

std::optional<fs::path> docker_config_directory() {
  if (const char* directory = std::getenv("DOCKER_CONFIG"); directory != nullptr && *directory != '\0') {
    if (!sys::leads_to_directory(directory)) {
      throw util::Error("DOCKER_CONFIG: " + util::quote(directory) +
                        " is no directory; name the one that holds config.json");
    }
    return directory;
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::optional(fs::path(home) / ".docker") : std::nullopt;
}

}  // namespace oci_push
