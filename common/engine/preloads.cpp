// References for preloaded images.
#include "common/engine/preloads.hpp"

#include <set>

#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace engine {
namespace {

// A path component from any name: lower case, and a hyphen for every run of anything but letters and digits.
std::string as_path_component(std::string_view name) {
  std::string component;
  for (const char c : name) {
    if (util::is_alnum(c)) {
      component += util::to_lower(c);
    } else if (!component.empty() && component.back() != '-') {
      component += '-';
    }
  }
  while (!component.empty() && component.back() == '-')
    component.pop_back();
  return component.empty() ? "image" : component;
}

std::string reference_for_argument(const std::string& name, std::set<std::string>& taken) {
  const auto wanted = "image-arg/" + as_path_component(name);
  auto reference = wanted;
  for (int next = 2; !taken.insert(reference).second; ++next)
    reference = wanted + "-" + std::to_string(next);
  return reference;
}

}  // namespace

std::vector<NamedImage> name_preloads(const std::vector<document::Preload>& preloads) {
  std::vector<NamedImage> images;
  std::set<std::string> taken;
  for (const auto& preload : preloads) {
    if (!preload.layout) {
      throw util::Error("the image " + util::quote(preload.name) +
                        " of the request is not laid out; pass the request through oci-preload first");
    }
    images.push_back({
        .store = "preload-" + std::to_string(images.size()),
        .layout = *preload.layout,
        .reference = preload.role == document::Preload::Role::build_arg
                         ? reference_for_argument(preload.name, taken)
                         : preload.name,
    });
  }
  return images;
}

}  // namespace engine
