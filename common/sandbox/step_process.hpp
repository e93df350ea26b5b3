// The process of a step while it runs.
#pragma once

#include <sys/types.h>

#include "common/sandbox/child.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/process.hpp"

namespace sandbox {

// Process 1 of its namespace: once it has ended, so has everything in there.
class StepProcess {
public:
  // Starts it, in new namespaces by `flags` (CLONE_NEW*) beside that of processes. Throws util::Error.
  StepProcess(unsigned long flags, ChildPlan& plan);
  StepProcess(const StepProcess&) = delete;
  StepProcess& operator=(const StepProcess&) = delete;
  // Kills and reaps it if it still runs.
  ~StepProcess();

  // Hands on what comes out of `output_fd` until the process has ended, whoever else may hold the other end.
  // Throws util::Error, also as sys::Cancellation::check does.
  sys::ExitStatus supervise(sys::UniqueFd output_fd, const Output& output, const sys::Cancellation& cancel);

  sys::ExitStatus wait();

private:
  int reap();

  pid_t pid_ = -1;
  sys::UniqueFd ended_;  // a pidfd
};

}  // namespace sandbox
