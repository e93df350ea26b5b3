// The way along a path whose symlinks are resolved by hand, inside a tree.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace solver {

// What is left to walk of a path.
class PathWalk {
public:
  explicit PathWalk(std::string_view path) : rest_(path) {}

  // Takes the next component, ".." included; those that lead nowhere ("" and ".") are passed over. Nothing at
  // the end.
  std::optional<std::string> next();

  // True if nothing is left at all, not even a slash.
  bool at_end() const noexcept { return rest_.empty(); }

  // Walks on by the target of a symlink that has been met; one that begins with a slash starts at the root.
  // False after the 255th symlink: then the path leads in a circle.
  [[nodiscard]] bool follow(const std::string& target);

private:
  std::string rest_;
  int links_ = 0;
};

}  // namespace solver
