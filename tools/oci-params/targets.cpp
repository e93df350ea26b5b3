// Targets and platforms.
#include "tools/oci-params/targets.hpp"

#include <algorithm>

#include "common/image/descriptor.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> output_directory(const std::string& parameter, const fs::path& directory) {
  // A symlink that leads nowhere is something in the way, not nothing.
  if (!is_present(directory, sys::Links::kept)) return std::nullopt;
  if (!sys::leads_to_directory(directory)) {
    throw util::Error(parameter + ": the output " + util::quote(directory.string()) +
                      " is not a directory; remove it, or name it as an output of the task");
  }
  return directory;
}

std::optional<std::string> read_main_target(const Environment& environment) {
  auto target = environment.value("TARGET");
  const auto file = environment.value("TARGET_FILE");
  if (!file) return target;
  const auto text = read_text_file("TARGET_FILE", find_own_file(environment, "TARGET_FILE", *file));
  const std::string name(util::trim(text));
  constexpr std::size_t longest_name = 256;
  if (name.size() > longest_name || name.find('\n') != std::string::npos) {
    throw util::Error("TARGET_FILE: " + util::quote(*file) +
                      " holds more than the name of a stage; write the name alone to it");
  }
  if (target && *target != name) {
    throw util::Error("TARGET is " + util::quote(*target) + " but TARGET_FILE " + util::quote(*file) +
                      " holds " + util::quote(name) + "; set one of the two");
  }
  return name.empty() ? target : name;
}

void require_usable_as_directory(const std::string& target) {
  const auto fail = [&](const std::string& reason) {
    throw util::Error("ADDITIONAL_TARGETS: " + util::quote(target) + " " + reason + "; rename the stage");
  };
  if (target == "image") fail("would go to the same directory as the main target");
  if (target == "cache") fail("would go to the directory of the cache");
  if (target == "." || target == ".." || target.find('/') != std::string::npos) {
    fail("cannot be the name of an output directory");
  }
}

}  // namespace

std::vector<document::Target> read_targets(const Environment& environment, Findings& findings) {
  std::vector<document::Target> targets;
  findings.check([&] {
    for (const auto& name : split_list(environment.value("ADDITIONAL_TARGETS").value_or(""), ",")) {
      findings.check([&] {
        require_usable_as_directory(name);
        if (std::any_of(targets.begin(), targets.end(),
                        [&](const auto& target) { return target.name == name; })) {
          throw util::Error("ADDITIONAL_TARGETS: " + util::quote(name) + " stands twice; keep one");
        }
        targets.push_back({name, output_directory("ADDITIONAL_TARGETS", name)});
      });
    }
  });
  document::Target main;
  findings.check([&] { main.name = read_main_target(environment); });
  findings.check([&] { main.output = output_directory("outputs", "image"); });
  targets.push_back(std::move(main));
  return targets;
}

std::vector<image::Platform> read_platforms(const Environment& environment) {
  const std::string parameter = "IMAGE_PLATFORM";
  std::vector<image::Platform> platforms;
  for (const auto& text : split_list(environment.value(parameter).value_or(""), ",")) {
    const auto platform = util::with_context(parameter, [&] { return image::Platform::parse(text); });
    if (std::find(platforms.begin(), platforms.end(), platform) != platforms.end()) {
      throw util::Error(parameter + ": " + util::quote(platform.str()) + " stands twice; keep one");
    }
    platforms.push_back(platform);
  }
  return platforms;
}

}  // namespace params
