// Runs tasks that depend on each other, as many at a time as there is work for.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "common/sys/cancellation.hpp"

namespace solver {

// One piece of work. `needs` are indexes of tasks that must be done before.
struct Task {
  std::function<void()> work;
  std::vector<std::size_t> needs;
};

// Runs all of them, each once, on up to `threads` threads beside this one; in the order of the list where
// there is a choice. After the first that throws no further task starts, `canceller` cancels, and when
// those under way have ended, what was thrown leaves; after a signal that.
void run_tasks(const std::vector<Task>& tasks, std::size_t threads, sys::Canceller& canceller);

}  // namespace solver
