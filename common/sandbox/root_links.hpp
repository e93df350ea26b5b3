// Where names lead in the root of a step that is supervised.
#pragma once

#include <sys/stat.h>

#include <string>
#include <unordered_map>

#include "common/sandbox/answers.hpp"
#include "common/sandbox/system_paths.hpp"
#include "common/sys/fd.hpp"

namespace sandbox {

// What lies at `path` in the root, links followed there (O_PATH); empty where nothing does.
sys::UniqueFd open_in(const SupervisedRoot& root, const std::string& path);

// A name in a directory (O_PATH) of the root.
struct Spot {
  sys::UniqueFd directory;  // empty where there is none
  std::string name;
};

// Of the last component of an absolute path, which is not followed.
Spot spot_in(const SupervisedRoot& root, const std::string& path);

// The same two for SystemPath::Kind::behind_link. They hold also of a directory that has another name by now,
// or none.
sys::UniqueFd open_behind(const SupervisedRoot& root, const SystemPath& path);
Spot spot_behind(const SupervisedRoot& root, const SystemPath& path);

// What a link of the kernel's leads to, as the step names it; empty where it leads to nothing that has a
// path.
std::string place_of_link(const SupervisedRoot& root, const std::string& link);

// Finds names in /proc, /dev and /sys behind links that a step has in its root. Of directories it remembers
// where they lead as long as they lead there.
class LinkWalk {
public:
  // `root` outlives it.
  explicit LinkWalk(const SupervisedRoot& root) : root_(root) {}

  // Where an absolute path leads by links on the way and, unless they are kept, at its end, as text: the
  // first name in /proc, /dev or /sys that it comes to. Empty where it comes to none.
  std::string system_name(const std::string& path, sys::Links links);

private:
  struct Known {
    std::string name;  // without links
    struct stat status;
  };

  const std::string* real_directory(const std::string& directory);
  const std::string* remembered(const std::string& directory);

  const SupervisedRoot& root_;
  std::unordered_map<std::string, Known> directories_;
  std::string unknown_;  // the last that cannot be remembered
};

// Makes the step's own /proc list what it has here, of processes those of the step alone: with names and
// nothing in them. A descriptor of the real one would list all processes, and lead out of the root by "..".
// 0, or why not.
int list_processes(const SupervisedRoot& root);

// Makes `name`, in the step's own /proc or /sys, a link to `place`, or a directory where that is empty; what
// is there and no link stays. 0, or why not.
int lead_on(const SupervisedRoot& root, const std::string& name, const std::string& place);

}  // namespace sandbox
