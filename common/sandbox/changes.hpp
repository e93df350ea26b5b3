// What a supervisor does for a step where a path leads through a link of the kernel's (/proc/self/fd/3): the
// step's own root has none, so that its kernel would not get there.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/sandbox/answers.hpp"
#include "common/sandbox/root_links.hpp"

namespace sandbox {

// A path of such a call.
struct Named {
  std::string path;                       // in the step's root, absolute
  std::optional<SystemPath> system = {};  // what it is of /proc, /dev and /sys, if it is
};

// A call that waits for its answer.
struct Change {
  const TrappedCall& call;
  const std::uint64_t* arguments;
  const AskerMemory& memory;
  const Rights& rights;
  sys::Links links;  // whether the last component of the first path is followed
  Named first;
  Named second = {};  // of a call with two paths

  std::uint64_t argument(int after_path) const { return arguments[call.path_argument() + 1 + after_path]; }
};

// Calls that change a file, or tell of its attributes (`changes_file`), with the asker's rights. Devices of
// the machine are nobody's to change: root is told that it is done. In /proc and /sys there is nothing to
// change.
Answer change_file(const Change& change, const SupervisedRoot& root);

// Calls that make, remove or move names (`changes_names`).
Answer change_names(const Change& change, const SupervisedRoot& root);

// After a file or directory was made for an asker: the mode that its umask leaves, as ours may be another.
void set_mode_of_new(const Rights& rights, const Spot& spot, mode_t mode);

}  // namespace sandbox
