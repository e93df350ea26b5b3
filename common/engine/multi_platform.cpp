#include "common/engine/multi_platform.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace engine {

bool is_multi_platform(const document::Request& request) {
  const bool several = request.platforms.size() > 1;
  bool wanted = several;
  for (const auto& [name, value] : request.build_args) {
    if (name != "BUILDKIT_MULTI_PLATFORM" || value.empty()) continue;
    const auto word = util::parse_bool(value);
    if (!word)
      throw util::Error("the build arg BUILDKIT_MULTI_PLATFORM: " + util::quote(value) +
                        " is neither true nor false");
    wanted = *word;
  }
  if (several && !wanted)
    throw util::Error(
        "the build arg BUILDKIT_MULTI_PLATFORM denies several platforms; name one, or remove it");
  return wanted;
}

}  // namespace engine
