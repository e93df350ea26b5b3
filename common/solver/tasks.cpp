// A pool of threads over a graph of tasks.
#include "common/solver/tasks.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>

#include "common/sys/cancellation.hpp"
#include "common/sys/thread.hpp"

namespace solver {
namespace {

class Run {
public:
  Run(const std::vector<Task>& tasks, sys::Canceller& canceller)
      : tasks_(tasks),
        canceller_(canceller),
        missing_(tasks.size()),
        followers_(tasks.size()),
        left_(tasks.size()) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const std::set<std::size_t> needs(tasks[i].needs.begin(), tasks[i].needs.end());
      missing_[i] = needs.size();
      for (const std::size_t need : needs)
        followers_[need].push_back(i);
      if (needs.empty()) ready_.insert(i);
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !ready_.empty() || left_ == 0 || failure_; });
      if (left_ == 0 || failure_) return;
      const std::size_t task = *ready_.begin();
      ready_.erase(ready_.begin());
      lock.unlock();
      std::exception_ptr thrown;
      try {
        tasks_[task].work();
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      finish(task, thrown);
      changed_.notify_all();
    }
  }

  void rethrow() const {
    if (!failure_) return;
    sys::Cancellation().check();  // then that is the reason, whatever broke by it
    std::rethrow_exception(failure_);
  }

private:
  void finish(std::size_t task, const std::exception_ptr& thrown) {
    --left_;
    if (thrown) {
      if (!failure_) {
        failure_ = thrown;
        canceller_.cancel();
      }
      return;
    }
    for (const std::size_t follower : followers_[task]) {
      if (--missing_[follower] == 0) ready_.insert(follower);
    }
  }

  const std::vector<Task>& tasks_;
  sys::Canceller& canceller_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::size_t> ready_;
  std::vector<std::size_t> missing_;  // how many needs of each are not done
  std::vector<std::vector<std::size_t>> followers_;
  std::size_t left_;
  std::exception_ptr failure_;
};

}  // namespace

void run_tasks(const std::vector<Task>& tasks, std::size_t threads, sys::Canceller& canceller) {
  Run run(tasks, canceller);
  const std::size_t wanted = std::min(threads, tasks.size());
  auto helpers = sys::start_threads(wanted > 0 ? wanted - 1 : 0, [&run] { run.work(); });
  run.work();
  for (auto& helper : helpers)
    helper.join();
  run.rethrow();
}

}  // namespace solver
