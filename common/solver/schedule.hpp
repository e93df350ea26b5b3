// Work that turns out while other work is done, on as many threads as there is work for.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/sys/thread.hpp"

namespace solver {

// Thread-safe.
class Schedule {
public:
  using Task = std::size_t;
  // Says which tasks it has to wait for; once they are done it is called again, until it says none: then it
  // is done itself. So a task asks for what it needs when it knows that it does.
  using Work = std::function<std::vector<Task>()>;

  enum class After {
    success,  // what is useless once something has failed
    all,  // what keeps the outcome of work that is done already: goes on after a failure, not after a signal
  };

  // At most `threads`, with the one that calls run().
  Schedule(std::size_t threads, sys::Canceller& canceller) : threads_(threads), canceller_(canceller) {}
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;
  ~Schedule();

  // From any thread, before run() or from a task. Of those that are ready the one with the smallest `order`
  // starts first.
  Task add(std::size_t order, Work work, After after = After::success);

  bool is_done(Task task) const;

  // Carries out all of them, each by one thread at a time. After the first that throws `canceller` cancels,
  // no task starts or goes on but those that are to keep something, and when these have ended, what was
  // thrown leaves; after a signal that. At most once.
  void run();

private:
  struct State {
    std::size_t order;
    Work work;
    After after;
    std::size_t missing = 0;           // tasks it waits for
    std::vector<Task> followers = {};  // that wait for it
    bool done = false;
  };

  void work();  // of a thread that is counted as idle
  void advance(Task task, const std::vector<Task>& needs);
  void fail(std::exception_ptr thrown);
  bool has_ended() const;
  void start_helpers();

  const std::size_t threads_;
  sys::Canceller& canceller_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<State> tasks_;                       // this and what follows is guarded by mutex_
  std::set<std::pair<std::size_t, Task>> ready_;  // by order
  std::size_t running_ = 0;
  std::size_t idle_ = 0;  // threads that wait for something to be ready
  std::size_t left_ = 0;  // tasks that are not done
  bool begun_ = false;
  std::exception_ptr failure_;
  std::vector<sys::Thread> helpers_;
};

}  // namespace solver
