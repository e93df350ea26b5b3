// The process of a step while it runs.
#pragma once

#include <sys/types.h>

#include <functional>

#include "common/sandbox/child.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/process.hpp"

namespace sandbox {

// Once it has ended, so has everything that it has started.
class StepProcess {
public:
  // Starts it as process 1 of a new process namespace, in others by `flags` (CLONE_NEW*). Throws util::Error.
  StepProcess(unsigned long flags, ChildPlan& plan);
  // Starts it in our namespaces, with `child`, which never returns and may not touch the heap. It ends all
  // that it has started, and itself, when `lifeline` is closed.
  StepProcess(const std::function<void()>& child, sys::UniqueFd lifeline);
  StepProcess(const StepProcess&) = delete;
  StepProcess& operator=(const StepProcess&) = delete;
  // Ends and reaps it if it still runs.
  ~StepProcess();

  pid_t pid() const noexcept { return pid_; }

  // Hands on what comes out of `output_fd` until the process has ended, whoever else may hold the other end.
  // Throws util::Error, also as sys::Cancellation::check does.
  sys::ExitStatus supervise(sys::UniqueFd output_fd, const Output& output, const sys::Cancellation& cancel);

  sys::ExitStatus wait();

private:
  void start(unsigned long flags, const std::function<void()>& child);
  int reap();

  pid_t pid_ = -1;
  sys::UniqueFd ended_;     // a pidfd
  sys::UniqueFd lifeline_;  // empty = a signal ends it with all that is its own
};

}  // namespace sandbox
