// The parts of a path, one after another.
#include "common/sys/path_walk.hpp"

#include <algorithm>

namespace sys {

std::optional<std::string_view> PathWalk::next() {
  while (position_ < path_.size()) {
    const auto slash = std::min(path_.find('/', position_), path_.size());
    const auto component = std::string_view(path_).substr(position_, slash - position_);
    position_ = std::min(slash + 1, path_.size());
    if (!component.empty() && component != ".") return component;
  }
  return std::nullopt;
}

bool PathWalk::follow(std::string_view target) {
  std::string longer(target);
  if (position_ < path_.size()) longer.append("/").append(path_, position_);
  path_ = std::move(longer);
  position_ = 0;
  return --links_left_ >= 0;
}

}  // namespace sys
