#include "common/solver/tasks.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "common/util/error.hpp"

namespace solver {
namespace {

sys::Canceller nobody;

TEST(Tasks, RunEachOnceAfterAllThatItNeeds) {
  constexpr std::size_t count = 200;
  std::vector<std::atomic<int>> runs(count);
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < count; ++i) {
    Task task;
    if (i > 0) task.needs = {i / 2, i - 1 - (i % 7 == 0 ? 0 : i % 3 % i), i / 2};
    task.work = [&runs, i, needs = task.needs] {
      for (const std::size_t need : needs)
        EXPECT_EQ(runs[need], 1) << i << " needs " << need;
      ++runs[i];
    };
    tasks.push_back(std::move(task));
  }
  run_tasks(tasks, 8, nobody);
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(runs[i], 1) << i;
}

TEST(Tasks, KeepTheOrderOfTheListOnOneThread) {
  std::vector<int> order;
  const auto note = [&order](int number) { return [&order, number] { order.push_back(number); }; };
  run_tasks({{note(0), {3}}, {note(1), {}}, {note(2), {1}}, {note(3), {}}}, 1, nobody);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 0}));
}

TEST(Tasks, RunIndependentOnesAtTheSameTime) {
  std::barrier all_are_here(3);
  const Task task{.work = [&] { all_are_here.arrive_and_wait(); }, .needs = {}};
  run_tasks({task, task, task}, 16, nobody);
}

TEST(Tasks, UseNoMoreThreadsThanAllowed) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const Task task{.work =
                      [&] {
                        const std::lock_guard lock(mutex);
                        threads.insert(std::this_thread::get_id());
                      },
                  .needs = {}};
  run_tasks(std::vector<Task>(50, task), 2, nobody);
  EXPECT_LE(threads.size(), 2U);
  threads.clear();
  run_tasks(std::vector<Task>(5, task), 1, nobody);
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(Tasks, StartNothingAfterTheFirstFailureAndThrowIt) {
  sys::Canceller canceller;
  bool later = false;
  const std::vector<Task> tasks = {{[] { throw std::runtime_error("first"); }, {}},
                                   {[&] { later = true; }, {0}},
                                   {[&] { later = true; }, {}}};
  try {
    run_tasks(tasks, 1, canceller);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
  EXPECT_TRUE(canceller.cancellation().requested());
  EXPECT_FALSE(later);
}

TEST(Tasks, CancelAndWaitForWhatIsUnderWay) {
  std::barrier both_run(2);
  sys::Canceller canceller;
  std::atomic<bool> ended = false;
  const std::vector<Task> tasks = {{[&] {
                                      both_run.arrive_and_wait();
                                      throw std::runtime_error("the cause");
                                    },
                                    {}},
                                   {[&] {
                                      both_run.arrive_and_wait();
                                      try {
                                        canceller.cancellation().sleep(std::chrono::hours(1));
                                      } catch (const util::Error& error) {
                                        ended = error.is_cancelled();
                                        throw;
                                      }
                                    },
                                    {}}};
  try {
    run_tasks(tasks, 2, canceller);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the cause");
  }
  EXPECT_TRUE(ended);
}

TEST(Tasks, OfAnEmptyListAreDone) {
  run_tasks({}, 4, nobody);
}

}  // namespace
}  // namespace solver
