// What a supervisor answers: what a system call of a step would have given, had /proc, /dev and /sys been
// mounted in the step's root.
#pragma once

#include <sys/utsname.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/sandbox/asker_memory.hpp"
#include "common/sandbox/mount_table.hpp"
#include "common/sandbox/process_tree.hpp"
#include "common/sandbox/system_paths.hpp"
#include "common/sandbox/trapped_calls.hpp"
#include "common/sys/fd.hpp"

namespace sandbox {

// The root of a step, and who keeps its processes.
struct SupervisedRoot {
  // Whether it is a process that the step sees.
  bool has(pid_t process) const noexcept { return process != lender && descends_from(process, keeper); }

  std::string path;  // of this machine, absolute, without links
  int place = -1;    // a descriptor of it
  pid_t keeper = 0;
  pid_t lender = 0;           // 0 = none
  std::string hostname = {};  // as the step is told it
  std::vector<StepMount> mounts = {};
};

// A call that waits for its answer.
struct Asked {
  const TrappedCall& call;
  const std::uint64_t* arguments;
  const AskerMemory& memory;
  const Rights& rights;
  const std::string& path;  // in the step's root, absolute and clean
};

struct Answer {
  enum class Kind {
    result,      // `value`, or `error` where that is not 0
    descriptor,  // `file`, under a number of the asker's
    from_root    // the kernel's, of what the step's root has
  } kind = Kind::result;
  std::int64_t value = 0;
  int error = 0;
  sys::UniqueFd file{};
  bool closes_at_exec = false;  // that descriptor
};

// Looks and opens with the asker's rights. Throws util::Error where this process has no means to.
Answer answer(const Asked& asked, const SystemPath& system, const SupervisedRoot& root);

// What uname(2) tells a thread. Nothing for one with a personality of its own that nobody can ask for.
std::optional<utsname> machine_seen_by(pid_t thread, const std::string& hostname);

// What a link of /proc leads to, as the step names it: below its root without that.
std::string seen_from(const SupervisedRoot& root, std::string target);

}  // namespace sandbox
