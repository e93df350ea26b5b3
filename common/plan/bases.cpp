// Names and systems of base images.
#include "common/plan/bases.hpp"

#include "common/dockerfile/source.hpp"
#include "common/util/text.hpp"

namespace plan {

image::Reference base_reference(const std::string& name) {
  auto reference = image::Reference::parse(name);
  if (!reference)
    throw dockerfile::SyntaxError("failed to parse stage name " + util::quote(name) +
                                  ": invalid reference format");
  if (reference->tag.empty() && reference->digest.empty()) reference->tag = "latest";
  return *reference;
}

void refuse_windows(const std::string& os) {
  if (os != "windows") return;
  throw dockerfile::SyntaxError("the native engine builds no images of windows; use ENGINE=buildkit");
}

}  // namespace plan
