// Platform matching.
#include "common/image/choices.hpp"

#include <algorithm>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

std::string list_platforms(const std::vector<Choice>& choices) {
  std::vector<std::string> names;
  for (const auto& choice : choices) {
    const auto name = choice.platform.str();
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return util::escape(util::join(names, ", "));
}

const Choice* best_for(const Platform& wanted, const std::vector<Choice>& choices, const std::string& what,
                       const std::string& way_out) {
  for (const auto& platform : wanted.runnable()) {
    const auto fits = [&](const Choice& choice) { return choice.platform == platform; };
    const auto first = std::find_if(choices.begin(), choices.end(), fits);
    if (first == choices.end()) continue;
    const auto other = std::find_if(first + 1, choices.end(), [&](const Choice& choice) {
      return fits(choice) && choice.root != first->root &&
             choice.descriptor.digest != first->descriptor.digest;
    });
    if (other != choices.end()) {
      throw util::Error(what + " holds several images for " + platform.str() + "; " + way_out);
    }
    return &*first;
  }
  return nullptr;
}

}  // namespace

const Choice& choose(const std::vector<Choice>& choices, const std::optional<Platform>& platform,
                     const std::string& what, const std::string& way_out) {
  if (choices.empty()) throw util::Error(what + " holds no image");
  // What does not say its platform is taken for any.
  const bool any = choices.size() == 1 && (!platform || choices[0].platform.architecture.empty());
  if (any) return choices[0];
  const auto wanted = platform.value_or(Platform::host());
  if (const auto* choice = best_for(wanted, choices, what, way_out)) return *choice;
  throw NoImageFor(what + " holds no image for " + wanted.str() + ", only for " + list_platforms(choices));
}

std::vector<Platform> platforms_of(const std::vector<Choice>& choices) {
  std::vector<Platform> platforms;
  for (const auto& choice : choices)
    platforms.push_back(choice.platform);
  return platforms;
}

}  // namespace image
