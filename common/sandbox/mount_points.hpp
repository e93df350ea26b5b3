// Mount points that a step needs in its root and that must leave no trace in the layer.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

// Whether something may be mounted on that path in /proc: on the files that emulations of it cover, as lxcfs
// does. All else there is what programs trust to be the kernel's own.
bool may_be_covered_in_proc(std::string_view path) noexcept;

// Remembers which of `targets` (absolute, inside `root`), and which of their parents, do not exist before a
// step runs. They are made when things are mounted on them; remove() takes away those that are still empty
// and leaves their parents' mtimes as they are then, as BuildKit does with its "mount stubs".
class MountPoints {
public:
  MountPoints(std::filesystem::path root, const std::vector<std::string>& targets);

  // After the step, with nothing mounted there any more. Throws util::Error.
  void remove();

private:
  std::filesystem::path root_;
  std::vector<std::string> missing_;  // resolved, relative to the root, children before their parents
};

}  // namespace sandbox
