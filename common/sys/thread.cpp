// Threads with a signal mask and an exception.
#include "common/sys/thread.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <utility>

#include "common/sys/stop_signals.hpp"
#include "common/util/error.hpp"

namespace sys {
namespace {

std::atomic<std::size_t> threads_running = 0;

}  // namespace
Thread::Thread(std::function<void()> body) : failure_(std::make_shared<std::exception_ptr>()) {
  const StopSignalsBlocked blocked;  // a new thread has the mask of the one that makes it
  try {
    thread_ = std::thread([body = std::move(body), failure = failure_] {
      try {
        body();
      } catch (...) {
        *failure = std::current_exception();
      }
    });
  } catch (const std::system_error& error) {
    util::throw_errno("cannot start a thread", error.code().value());
  }
  ++threads_running;
}

Thread& Thread::operator=(Thread&& other) noexcept {
  wait();
  failure_ = std::move(other.failure_);
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::end() {
  thread_.join();
  --threads_running;
}

std::size_t Thread::running() noexcept {
  return threads_running;
}

void Thread::join() {
  end();
  if (const auto failure = std::exchange(*failure_, nullptr)) std::rethrow_exception(failure);
}

void Thread::wait() noexcept {
  if (thread_.joinable()) end();
}

std::vector<Thread> start_threads(std::size_t count, const std::function<void()>& body) {
  std::vector<Thread> threads;
  threads.reserve(count);
  try {
    while (threads.size() < count)
      threads.emplace_back(body);
  } catch (const util::Error&) {
    // Those that are there do the work.
  }
  return threads;
}

void share_work(std::size_t count, std::size_t most,
                const std::function<void(std::size_t number, const Cancellation& cancel)>& work,
                const Cancellation& cancel) {
  if (count == 0) return;
  Canceller stop(cancel);
  const auto below = stop.cancellation();
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto take_some = [&] {
    try {
      for (std::size_t number = next++; number < count; number = next++)
        work(number, below);
    } catch (...) {
      const std::lock_guard lock(mutex);
      // Those that are called off because of the first fail too, and say less.
      if (!failure) failure = std::current_exception();
      next = count;
      stop.cancel();
    }
  };
  {
    const auto helpers = start_threads(std::min(count, most) - 1, take_some);
    take_some();
  }
  if (failure) std::rethrow_exception(failure);
}

std::size_t processor_count() noexcept {
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace sys
