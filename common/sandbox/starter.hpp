// The file of the program that a step's process executes before its own.
#pragma once

#include "common/sandbox/memory_files.hpp"
#include "common/sys/fd.hpp"

namespace sandbox {

// The starter, executable by everybody, on a mount that nobody can write to: what a step does to the file
// fails. Costs 20 microseconds once a build, and each step one more exec.
class Starter {
public:
  // Throws util::Error.
  explicit Starter(MemoryFiles& memory);

  int fd() const noexcept { return tree_.get(); }

private:
  MemoryFiles::File file_;
  sys::UniqueFd tree_;
};

}  // namespace sandbox
