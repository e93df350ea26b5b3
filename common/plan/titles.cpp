#include "common/plan/titles.hpp"

#include <algorithm>

#include "common/util/error.hpp"

namespace plan {
namespace {

// What the variables say that a step builds for; nothing if none does.
std::optional<image::Platform> target_of(const dockerfile::Environment& environment) {
  image::Platform target;
  bool is_set = false;
  for (const auto& [name, value] : environment.variables()) {
    if (name == "TARGETPLATFORM") {
      try {
        return image::Platform::parse(value);
      } catch (const util::Error&) {
        continue;
      }
    }
    for (const auto& [known, field] :
         {std::pair("TARGETOS", &target.os), std::pair("TARGETARCH", &target.architecture),
          std::pair("TARGETVARIANT", &target.variant)}) {
      if (name != known) continue;
      *field = value;
      is_set = true;
    }
  }
  return is_set ? std::optional(target) : std::nullopt;
}

// "->arm64", where that is another platform than the step's own.
std::string arrow(const image::Platform& own, std::optional<image::Platform> target) {
  if (!target) return "";
  if (target->os.empty()) target->os = own.os;
  if (target->architecture.empty()) target->architecture = own.architecture;
  const auto other = target->normalized();
  if (other.os != own.os) return "->" + other.str();
  if (other.architecture == own.architecture) return "";
  return "->" + other.architecture + (other.variant.empty() ? "" : "/" + other.variant);
}

}  // namespace

std::string step_title(const StepPlace& place, const dockerfile::Environment& environment,
                       const std::string& text) {
  std::string title = "[";
  if (place.platform) title += place.platform->str() + arrow(*place.platform, target_of(environment)) + " ";
  if (!place.stage.empty()) title += place.stage + " ";
  const auto number = std::to_string(place.number);
  const auto total = std::to_string(place.total);
  return title + std::string(total.size() - std::min(total.size(), number.size()), ' ') + number + "/" +
         total + "] " + text;
}

}  // namespace plan
