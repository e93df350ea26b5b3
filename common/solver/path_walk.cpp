// The parts of a path, one after another.
#include "common/solver/path_walk.hpp"

namespace solver {

std::optional<std::string> PathWalk::next() {
  while (!rest_.empty()) {
    const auto slash = rest_.find('/');
    std::string component = rest_.substr(0, slash);
    rest_.erase(0, slash == std::string::npos ? slash : slash + 1);
    if (!component.empty() && component != ".") return component;
  }
  return std::nullopt;
}

bool PathWalk::follow(const std::string& target) {
  rest_ = rest_.empty() ? target : target + "/" + rest_;
  return ++links_ <= 255;
}

}  // namespace solver
