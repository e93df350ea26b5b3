#include "common/solver/schedule.hpp"

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

using Tasks = std::vector<Schedule::Task>;

// Does it once `needs` are done.
Schedule::Work after(Schedule& schedule, Tasks needs, std::function<void()> action) {
  return [&schedule, needs = std::move(needs), action = std::move(action)]() -> Tasks {
    Tasks left;
    for (const auto need : needs) {
      if (!schedule.is_done(need)) left.push_back(need);
    }
    if (left.empty()) action();
    return left;
  };
}

TEST(Schedule, CarriesOutEachTaskAfterAllThatItNeeds) {
  sys::Canceller nobody;
  Schedule schedule(8, nobody);
  constexpr std::size_t count = 200;
  std::vector<std::atomic<int>> runs(count);
  Tasks tasks;
  for (std::size_t i = 0; i < count; ++i) {
    const Tasks needs = i > 0 ? Tasks{i / 2, i - 1 - (i % 7 == 0 ? 0 : i % 3 % i), i / 2} : Tasks();
    tasks.push_back(schedule.add(count - i, after(schedule, needs, [&runs, i, needs] {
                                   for (const auto need : needs)
                                     EXPECT_EQ(runs[need], 1) << i << " needs " << need;
                                   ++runs[i];
                                 })));
  }
  schedule.run();
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(runs[i], 1) << i;
}

TEST(Schedule, StartsWhatIsReadyInOrderOnOneThread) {
  sys::Canceller nobody;
  Schedule schedule(1, nobody);
  std::vector<int> order;
  const auto note = [&order](int number) { return [&order, number] { order.push_back(number); }; };
  const auto last = schedule.add(3, after(schedule, {}, note(3)));
  schedule.add(0, after(schedule, {last}, note(0)));
  schedule.add(2, after(schedule, {}, note(2)));
  schedule.add(1, after(schedule, {}, note(1)));
  schedule.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 0}));
}

TEST(Schedule, GoesOnWithATaskThatAsksForMoreWhileItRuns) {
  sys::Canceller nobody;
  Schedule schedule(1, nobody);  // another thread might have done what is asked for before the question
  std::optional<Schedule::Task> asked;
  bool found = false;
  int calls = 0;
  schedule.add(0, [&]() -> Tasks {
    ++calls;
    if (!asked) asked = schedule.add(1, after(schedule, {}, [&found] { found = true; }));
    if (!schedule.is_done(*asked)) return {*asked};
    EXPECT_TRUE(found);
    return {};
  });
  schedule.run();
  EXPECT_TRUE(found);
  EXPECT_EQ(calls, 2);
}

TEST(Schedule, RunsIndependentTasksAtTheSameTime) {
  sys::Canceller nobody;
  Schedule schedule(16, nobody);
  std::barrier all_are_here(3);
  for (int i = 0; i < 3; ++i)
    schedule.add(0, after(schedule, {}, [&] { all_are_here.arrive_and_wait(); }));
  schedule.run();
}

TEST(Schedule, UsesNoMoreThreadsThanAllowed) {
  for (const std::size_t allowed : {1, 2}) {
    sys::Canceller nobody;
    Schedule schedule(allowed, nobody);
    std::mutex mutex;
    std::set<std::thread::id> threads;
    for (int i = 0; i < 50; ++i) {
      schedule.add(0, after(schedule, {}, [&] {
                     const std::lock_guard lock(mutex);
                     threads.insert(std::this_thread::get_id());
                   }));
    }
    schedule.run();
    EXPECT_LE(threads.size(), allowed);
    if (allowed == 1) {
      EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
    }
  }
}

// What it throws; `schedule` has a task that does.
std::string failure_of(Schedule& schedule) {
  try {
    schedule.run();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(Schedule, StartsNothingAfterTheFirstFailureAndThrowsIt) {
  sys::Canceller canceller;
  Schedule schedule(1, canceller);
  bool later = false;
  const auto first = schedule.add(0, []() -> Tasks { throw std::runtime_error("first"); });
  schedule.add(1, after(schedule, {first}, [&] { later = true; }));
  schedule.add(2, after(schedule, {}, [&] { later = true; }));
  EXPECT_EQ(failure_of(schedule), "first");
  EXPECT_TRUE(canceller.cancellation().requested());
  EXPECT_FALSE(later);
}

TEST(Schedule, KeepsTheOutcomeOfWhatIsDoneAfterAFailure) {
  sys::Canceller canceller;
  Schedule schedule(1, canceller);
  std::vector<std::string> kept;
  const auto done = schedule.add(0, after(schedule, {}, [] {}));
  schedule.add(1, []() -> Tasks { throw std::runtime_error("first"); });
  const auto pack =
      schedule.add(2, after(schedule, {done}, [&] { kept.push_back("packed"); }), Schedule::After::all);
  schedule.add(3, after(schedule, {pack}, [&] { kept.push_back("kept"); }), Schedule::After::all);
  const auto never = schedule.add(4, after(schedule, {}, [] {}));
  schedule.add(5, after(schedule, {never}, [&] { kept.push_back("what was not done"); }),
               Schedule::After::all);
  EXPECT_EQ(failure_of(schedule), "first");
  EXPECT_EQ(kept, (std::vector<std::string>{"packed", "kept"}));
}

TEST(Schedule, CancelsAndWaitsForWhatIsUnderWay) {
  std::barrier both_run(2);
  sys::Canceller canceller;
  Schedule schedule(2, canceller);
  std::atomic<bool> ended = false;
  schedule.add(0, [&]() -> Tasks {
    both_run.arrive_and_wait();
    throw std::runtime_error("the cause");
  });
  schedule.add(1, [&]() -> Tasks {
    both_run.arrive_and_wait();
    try {
      canceller.cancellation().sleep(std::chrono::hours(1));
    } catch (const util::Error& error) {
      ended = error.is_cancelled();
      throw;
    }
    return {};
  });
  EXPECT_EQ(failure_of(schedule), "the cause");
  EXPECT_TRUE(ended);
}

TEST(Schedule, OfNothingIsDone) {
  sys::Canceller nobody;
  Schedule schedule(4, nobody);
  schedule.run();
}

}  // namespace
}  // namespace solver
