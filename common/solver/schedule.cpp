// A pool of threads over a graph of tasks that grows.
#include "common/solver/schedule.hpp"

#include "common/util/error.hpp"

namespace solver {

Schedule::~Schedule() {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::make_exception_ptr(util::Error("not carried out"));
    ready_.clear();
  }
  changed_.notify_all();
}

Schedule::Task Schedule::add(std::size_t order, Work work, After after) {
  const std::lock_guard lock(mutex_);
  const Task task = tasks_.size();
  tasks_.push_back({.order = order, .work = std::move(work), .after = after});
  ++left_;
  if (failure_ && after == After::success) return task;
  ready_.emplace(order, task);
  start_helpers();
  changed_.notify_one();
  return task;
}

bool Schedule::is_done(Task task) const {
  const std::lock_guard lock(mutex_);
  return tasks_[task].done;
}

void Schedule::run() {
  {
    const std::lock_guard lock(mutex_);
    begun_ = true;
    ++idle_;  // this thread
    start_helpers();
  }
  work();
  for (auto& helper : helpers_)
    helper.join();
  if (!failure_) return;
  sys::Cancellation().check();  // then that is the reason, whatever broke by it
  std::rethrow_exception(failure_);
}

bool Schedule::has_ended() const {
  return left_ == 0 || (running_ == 0 && ready_.empty());
}

// One for each task that would have to wait for a thread; where the machine has no more, the others do it
// all.
void Schedule::start_helpers() {
  while (begun_ && ready_.size() > idle_ && helpers_.size() + 1 < threads_) {
    auto started = sys::start_threads(1, [this] { work(); });
    if (started.empty()) return;
    helpers_.push_back(std::move(started.front()));
    ++idle_;  // it soon is
  }
}

void Schedule::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !ready_.empty() || has_ended(); });
    if (ready_.empty()) break;
    const Task task = ready_.begin()->second;
    ready_.erase(ready_.begin());
    --idle_;
    ++running_;
    const auto& carry_on = tasks_[task].work;  // a deque: it stays where it is
    lock.unlock();
    std::vector<Task> needs;
    std::exception_ptr thrown;
    try {
      needs = carry_on();
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    --running_;
    ++idle_;
    if (thrown) {
      fail(thrown);
    } else {
      advance(task, needs);
    }
    start_helpers();
    changed_.notify_all();
  }
  --idle_;
  changed_.notify_all();
}

void Schedule::advance(Task task, const std::vector<Task>& needs) {
  auto& state = tasks_[task];
  const bool may_go_on = !failure_ || state.after == After::all;
  if (needs.empty()) {
    state.done = true;
    --left_;
    for (const Task follower : state.followers) {
      auto& next = tasks_[follower];
      if (--next.missing > 0 || (failure_ && next.after == After::success)) continue;
      ready_.emplace(next.order, follower);
    }
    return;
  }
  for (const Task need : std::set<Task>(needs.begin(), needs.end())) {
    if (tasks_[need].done) continue;
    tasks_[need].followers.push_back(task);
    ++state.missing;
  }
  if (state.missing == 0 && may_go_on) ready_.emplace(state.order, task);
}

void Schedule::fail(std::exception_ptr thrown) {
  if (failure_) return;
  failure_ = std::move(thrown);
  canceller_.cancel();
  std::erase_if(ready_, [this](const auto& entry) {
    return sys::cancelling_signal() != 0 || tasks_[entry.second].after == After::success;
  });
}

}  // namespace solver
